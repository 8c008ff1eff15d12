"""The bot manager: listens where providers must be asked, and tests every channel. No port but its metrics."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass

import uvloop
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from chatbot.apps.boot import begin, failing_in_words, ready_database
from chatbot.apps.channel_parts import ChannelParts, make_channel_parts
from chatbot.apps.core_runtime import open_core
from chatbot.apps.observing import bind_observed, observed_app
from chatbot.apps.serving import serve, stop_on_signals
from chatbot.channels.accounts import ConnectedChannel
from chatbot.channels.bots.leases import LEASE_SECONDS, Leases
from chatbot.channels.bots.manager import BotManager
from chatbot.channels.bots.records import Records
from chatbot.channels.bots.states import Pace, Parts
from chatbot.channels.bots.watchdog import Rounds, Watchdog
from chatbot.channels.registry import PROVIDERS
from chatbot.core.background import beside, end
from chatbot.core.logging import get_logger
from chatbot.core.safe_http import OutgoingLimits, open_safe_http
from chatbot.core.settings import Settings
from chatbot.db.leader import Leader
from chatbot.db.roles import PLATFORM_ROLE, conninfo, role_url
from chatbot.db.sessions import Database
from chatbot.ops.health import Health

log = get_logger(__name__)

_WATCHDOG = 0x58494E57
"""One watchdog for all managers."""

_RESTARTING = Pace()
_TESTING = Rounds()


@dataclass(frozen=True, slots=True)
class Keeping:
    """Bots while they are kept."""

    leases: Leases

    async def check(self) -> None:
        """Raise `Unavailable` when the leases of the bots run out; a listener that ends takes its process along."""
        await self.leases.check()


def main() -> None:
    """Start a bot manager alone and run it until SIGTERM or SIGINT."""
    settings = begin("bot-manager")
    with failing_in_words():
        listener = bind_observed(
            settings.bot_manager_metrics_host, settings.bot_manager_metrics_port, variable="BOT_MANAGER_METRICS_PORT"
        )
        with ready_database(settings) as database_url:
            uvloop.run(_run(settings, database_url, listener))


async def _run(settings: Settings, database_url: str, listener: socket.socket | None) -> None:
    stop = stop_on_signals()
    async with open_channel_parts(settings, database_url) as parts, keeping_bots(parts) as keeping:
        app = create_bot_manager_app(parts.database, keeping.leases)
        async with serve(app, listener, trusted_proxies=()) if listener else nullcontext():
            log.info("bot manager ready", bots=settings.bots_per_manager)
            await stop.wait()
            log.info("draining")
    log.info("bot manager stopped")


@asynccontextmanager
async def open_channel_parts(settings: Settings, database_url: str) -> AsyncIterator[ChannelParts]:
    """Open the parts of a bot manager that runs alone and close them in reverse order."""
    async with open_core(settings, database_url) as core:
        yield make_channel_parts(settings, core.database, core.jobs, core.blobs, core.provider_http, core.hot_sessions)


@asynccontextmanager
async def keeping_bots(
    parts: ChannelParts,
    *,
    pace: Pace = _RESTARTING,
    rounds: Rounds = _TESTING,
    lease_seconds: float = LEASE_SECONDS,
) -> AsyncIterator[Keeping]:
    """Listen and test while the block runs; then the bots end, and other managers may have them at once."""
    most = parts.settings.bots_per_manager
    # A poll is open nearly always, and beside it buttons are answered and channels tested.
    limits = OutgoingLimits(connections=2 * most + 50, per_host=2 * most + 50)
    leader = Leader(conninfo(role_url(parts.database.url, PLATFORM_ROLE)), _WATCHDOG)
    async with open_safe_http(parts.settings, limits) as http:
        leases = Leases(parts.database, parts.accounts, capacity=most, seconds=lease_seconds)
        records = Records(parts.database, parts.inbox, leases.owner)

        async def accounts() -> Sequence[ConnectedChannel]:
            channels = await leases.channels()
            for channel_id in leases.cleared:
                manager.revive(channel_id)
            return channels

        async def tested() -> Sequence[ConnectedChannel]:
            return await parts.accounts.enabled(PROVIDERS) if await leader.leads() else []

        manager = BotManager(Parts(accounts, leases.cursor, records.take, records.reports, http), pace)
        watchdog = Watchdog(tested, records.check_up, http, rounds)
        testing = asyncio.create_task(watchdog.run(), name="watchdog")
        try:
            async with beside(manager.run(), name="bot manager"):
                try:
                    yield Keeping(leases)
                finally:
                    await end(testing)
                    await leader.resign()
        finally:
            await _release(leases)


async def _release(leases: Leases) -> None:
    try:
        await leases.release()
    except SQLAlchemyError as error:
        log.warning("the bots were not let go; they move when their leases end", reason=str(error)[:200])


def create_bot_manager_app(database: Database, leases: Leases) -> FastAPI:
    """Compose what a bot manager shows of itself."""
    return observed_app("bot manager", Health({"database": database.ping, "leases": leases.check}))


if __name__ == "__main__":
    main()
