"""Our webhook at the provider: entered, entered again when what it holds changed, taken away."""

import asyncio
from collections.abc import Awaitable
from uuid import UUID

from chatbot.channels import repository
from chatbot.channels.accounts import STALE_SECONDS, ConnectedChannel
from chatbot.channels.contract import Finding
from chatbot.core.clock import rfc3339, utcnow
from chatbot.core.errors import XinError
from chatbot.core.logging import get_logger
from chatbot.core.safe_http import SafeHttp
from chatbot.db.models import Channel
from chatbot.db.sessions import Database

log = get_logger(__name__)

_MARK = "registered_at"
AGAIN_SECONDS = STALE_SECONDS
_PATIENCE = 10.0
"""Seconds for what is done beside the operator's own wish."""


def is_registered(channel: Channel) -> bool:
    """Whether somebody asked for the webhook to be entered, and never for it to be taken away."""
    return _MARK in channel.configuration


class Registration:
    """The webhooks of one process."""

    def __init__(self, database: Database, http: SafeHttp) -> None:
        self._database = database
        self._http = http

    async def enter(self, connected: ConnectedChannel) -> None:
        """Tell the provider where our webhook is; raises `ProviderRefused` with its words."""
        await connected.provider.register(connected.account, self._http)
        await self._mark(connected.tenant_id, connected.channel_id, {_MARK: rfc3339(utcnow())})

    async def remove(self, connected: ConnectedChannel) -> None:
        """Take our webhook away at the provider; raises `ProviderRefused` with its words."""
        await connected.provider.unregister(connected.account, self._http)
        await self._mark(connected.tenant_id, connected.channel_id, {_MARK: None})

    async def renew(self, connected: ConnectedChannel) -> Finding:
        """Tell the provider the new secret; a failure is kept with the channel, which works on with the old one."""
        words = await _tried(connected.provider.register(connected.account, self._http))
        if words is not None:
            # Some providers ask our webhook at once, and a gateway may know the old secret only for some seconds.
            await asyncio.sleep(AGAIN_SECONDS)
            words = await _tried(connected.provider.register(connected.account, self._http))
        if words is None:
            await self._mark(connected.tenant_id, connected.channel_id, {_MARK: rfc3339(utcnow())})
            return Finding("register", True, "The provider was told the new secret and address.")
        words = f"The provider was not told what changed: {words} Register the channel again within 15 minutes."
        finding = Finding("register", False, words)
        async with self._database.tenant(connected.tenant_id) as session:
            await repository.note_findings(session, connected.channel_id, [finding])
            await repository.note_failure(session, connected.channel_id, words[:500])
        return finding

    async def withdraw(self, connected: ConnectedChannel) -> None:
        """Take our webhook away if that can be done; the channel is switched off anyway."""
        words = await _tried(connected.provider.unregister(connected.account, self._http))
        if words is not None:
            log.warning("a webhook was left at its provider", channel_id=str(connected.channel_id), reason=words)

    async def _mark(self, tenant_id: UUID, channel_id: UUID, values: dict[str, str | None]) -> None:
        async with self._database.tenant(tenant_id) as session:
            await repository.configure(session, channel_id, values)


async def _tried(work: Awaitable[None]) -> str | None:
    """Do what may fail; return in words why it did."""
    try:
        async with asyncio.timeout(_PATIENCE):
            await work
    except TimeoutError:
        return f"The provider gave no answer within {_PATIENCE:.0f} seconds."
    except XinError as error:
        return f"{error.detail.rstrip('.')}."
    return None
