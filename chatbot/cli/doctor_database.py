"""What `xin doctor` asks the database: whether it answers and could be restored, its clock, its keys, what is stuck."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from chatbot.channels.outbox import repository as outbox
from chatbot.cli.trouble import Trouble
from chatbot.core.clock import utcnow
from chatbot.core.settings import Settings
from chatbot.db.dump import check_allowed
from chatbot.db.sessions import Database
from chatbot.ops.figures.repository import database_figures
from chatbot.ops.rotation.service import count_sealed
from chatbot.ops.system.queues import all_queues
from chatbot.ops.system.repository import queue_depths, server_time

_MOST_SKEW_SECONDS = 30
_STUCK_SECONDS = 600
_MOST_CONNECTIONS = 0.8


def database_checks(database: Database, settings: Settings) -> dict[str, Callable[[], Awaitable[str]]]:
    """Return each check by its name."""

    async def answers() -> str:
        async with database.platform() as session:
            figures = await database_figures(session)
        taken = figures.connections / figures.most_connections
        if taken > _MOST_CONNECTIONS:
            raise Trouble(
                f"{taken:.0%} of its connections are taken: lower DATABASE_POOL_SIZE or raise max_connections"
            )
        kind = "DATABASE_URL" if settings.database_url else "the bundled PostgreSQL"
        return (
            f"{kind}, {figures.size // 1_000_000} MB, {figures.connections} of {figures.most_connections} connections"
        )

    async def clock() -> str:
        async with database.platform() as session:
            skew = abs((await server_time(session) - utcnow()).total_seconds())
        if skew > _MOST_SKEW_SECONDS:
            raise Trouble(f"this machine's is {skew:.0f} s off the database's; tokens and signatures fail: set up NTP")
        return "agrees with the database's"

    async def secrets() -> str:
        opened, broken = await count_sealed(database, settings)
        if broken:
            raise Trouble(
                f"{broken} of {opened + broken} sealed secrets cannot be opened; put their key back "
                "into XIN_ENCRYPTION_KEYS (`xin rotate status`)"
            )
        return f"{opened} sealed, all can be opened"

    async def queues() -> str:
        async with database.platform() as session:
            found = all_queues(await queue_depths(session), settings)
        stuck = [queue for queue in found if (queue.oldest_seconds or 0) > _STUCK_SECONDS]
        if stuck:
            names = ", ".join(f"{queue.name} ({queue.oldest_seconds:.0f} s)" for queue in stuck)
            raise Trouble(
                f"jobs are due and nobody takes them: {names}; start a worker of this queue (docs/RUNBOOK.md)"
            )
        return f"{sum(queue.waiting for queue in found)} jobs wait, {sum(queue.running for queue in found)} run"

    async def deliveries() -> str:
        async with database.platform() as session:
            waiting, dead = await outbox.depth(session)
        return f"{waiting} wait, {dead} are dead letters" + ("; see GET /admin/deliveries?status=dead" if dead else "")

    return {
        "database": answers, "restore": partial(_restorable, database), "clock": clock, "secrets": secrets,
        "queues": queues, "deliveries": deliveries,
    }  # fmt: skip


async def _restorable(database: Database) -> str:
    await asyncio.to_thread(check_allowed, database.url)
    return "a backup could be: the owner may create a database and its extension"
