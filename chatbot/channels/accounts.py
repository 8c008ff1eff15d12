"""Channels as adapters see them, with their secrets open; known for some seconds in each process."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import orjson

from chatbot.channels import repository
from chatbot.channels.contract import Account, Credentials, Provider
from chatbot.channels.errors import ChannelBroken
from chatbot.channels.registry import PROVIDERS
from chatbot.core.cache import TimedCache
from chatbot.core.crypto import Vault
from chatbot.core.errors import NotFound
from chatbot.core.logging import get_logger
from chatbot.core.settings import Settings
from chatbot.db.models import Channel, ChannelSecret
from chatbot.db.sessions import Database, TenantReader
from chatbot.identity.demo import DEMO_TENANT_ID

Secret = TypeVar("Secret")

log = get_logger(__name__)
STALE_SECONDS = 5.0
"""A rotated secret, a switched-off channel: every process knows after so long."""


@dataclass(frozen=True, slots=True)
class ConnectedChannel:
    """A channel with its adapter.

    Attributes:
        older: the account with secrets that were rotated and still count, to prove requests by.
    """

    tenant_id: UUID
    brand_id: UUID
    channel_id: UUID
    channel_type: str
    display_name: str
    enabled: bool
    provider: Provider[Any]
    account: Account[Any]
    older: tuple[Account[Any], ...] = ()


class Accounts:
    """Opens channels for one process."""

    def __init__(self, database: Database, vault: Vault, settings: Settings) -> None:
        self._database = database
        self._vault = vault
        self._settings = settings
        self._known: TimedCache[UUID, ConnectedChannel | None] = TimedCache(STALE_SECONDS)
        self._broken: set[UUID] = set()
        self._unknown: TimedCache[UUID, bool] = TimedCache(STALE_SECONDS)

    async def get(self, channel_id: UUID) -> ConnectedChannel:
        """Return a channel by its id, whoever's it is.

        Raises:
            NotFound: there is none, or it is deleted.
        """
        known = self._known.get(channel_id)
        if known is None and not self._unknown.get(channel_id):
            known = await self._open(channel_id)
        if known is None:
            raise NotFound("no such channel")
        return known

    async def get_in(self, session: TenantReader, channel_id: UUID) -> ConnectedChannel:
        """Return a channel of the session's tenant, read in its transaction where it must be read.

        Whoever has a connection in hand must not wait for a second one: as many who do so as there are connections
        would wait for one another.

        Raises:
            NotFound: there is none, or it is deleted.
        """
        known = self._known.get(channel_id) or await self._read(session, channel_id)
        if known is None or known.tenant_id != session.tenant_id:
            raise NotFound("no such channel")
        return known

    def forget(self, channel_id: UUID) -> None:
        """Read a channel anew at the next question: it was changed here."""
        self._known.forget(channel_id)
        self._unknown.forget(channel_id)

    async def _open(self, channel_id: UUID) -> ConnectedChannel | None:
        async with self._database.platform() as platform:
            tenant_id = await repository.tenant_of(platform, channel_id)
        if tenant_id is None:
            self._unknown.put(channel_id, True)
            return None
        async with self._database.tenant_reader(tenant_id) as session:
            return await self._read(session, channel_id)

    async def _read(self, session: TenantReader, channel_id: UUID) -> ConnectedChannel | None:
        channel = await repository.get_channel(session, channel_id)
        if channel is None or channel.channel_type not in PROVIDERS:
            return None
        opened = self.connect(channel, await repository.valid_secrets(session, [channel_id]))
        self._known.put(channel_id, opened)
        return opened

    async def enabled(
        self, channel_types: Collection[str], *, only: Collection[UUID] | None = None
    ) -> list[ConnectedChannel]:
        """Open every channel of some types that is switched on, whoever's it is; what cannot be opened is left out.

        Args:
            only: of these channels; None: of all.
        """
        async with self._database.platform() as platform:
            rows = await repository.all_enabled(platform, channel_types, only)
        return await asyncio.to_thread(self._open_all, rows)  # unsealed and validated beside the event loop

    def _open_all(self, rows: Sequence[tuple[Channel, list[ChannelSecret]]]) -> list[ConnectedChannel]:
        opened = []
        for channel, secrets in rows:
            try:
                opened.append(self.connect(channel, secrets))
            except ChannelBroken:
                continue
        return opened

    def connect(self, channel: Channel, secrets: Sequence[ChannelSecret]) -> ConnectedChannel:
        """Open a channel's secrets, newest first.

        Raises:
            ChannelBroken: the newest cannot be opened; older ones that cannot be are left out.
        """
        provider = PROVIDERS[channel.channel_type]
        try:
            own = _opened(secrets, "secret", self._plain) or [self._demo_secret(channel)]
            given = _opened(secrets, "credentials", partial(self._credentials, provider))
        except ValueError as error:  # sealed by a key that is gone, or credentials of a release before
            self._tell_broken(channel.id, error)
            raise ChannelBroken from None
        account = Account(
            channel.tenant_id, channel.id, own[0], (given or [provider.credentials()])[0], self.webhook_url(channel),
            tuple(own[1:]),
        )  # fmt: skip
        older = tuple(
            replace(account, secret=secret, credentials=credentials)
            for secret in own
            for credentials in (given or [account.credentials])
            if (secret, credentials) != (account.secret, account.credentials)
        )
        return ConnectedChannel(
            channel.tenant_id, channel.brand_id, channel.id, channel.channel_type, channel.display_name,
            channel.enabled, provider, account, older,
        )  # fmt: skip

    def _tell_broken(self, channel_id: UUID, error: ValueError) -> None:
        if channel_id not in self._broken:
            self._broken.add(channel_id)
            log.error("a channel's secrets cannot be opened", channel_id=str(channel_id), reason=type(error).__name__)

    def webhook_url(self, channel: Channel) -> str:
        """Return the public address of a channel's webhook."""
        if channel.channel_type == "web":
            return f"{self._settings.gateway_url}/webchat/webhook"
        return f"{self._settings.gateway_url}/webhooks/{channel.channel_type}/{channel.id}"

    def _plain(self, row: ChannelSecret) -> str:
        return self._vault.open(row.tenant_id, row.id, row.sealed)

    def _credentials(self, provider: Provider[Any], row: ChannelSecret) -> Credentials:
        credentials: Credentials = provider.credentials.model_validate(orjson.loads(self._plain(row)))
        return credentials

    def _demo_secret(self, channel: Channel) -> str:
        """Web channels come with their brand, without a secret; in the demo tenant the setting is theirs."""
        is_demo = channel.tenant_id == DEMO_TENANT_ID and channel.channel_type == "web"
        return self._settings.gateway_webhook_secret.get_secret_value() if is_demo else ""


def _opened(rows: Sequence[ChannelSecret], purpose: str, read: Callable[[ChannelSecret], Secret]) -> list[Secret]:
    opened: list[Secret] = []
    for row in rows:
        if row.purpose != purpose:
            continue
        try:
            opened.append(read(row))
        except ValueError:
            if not opened:
                raise
    return opened
