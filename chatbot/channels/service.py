"""Channels as administrators make, change, test and remove them."""

import base64
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from pydantic import SecretStr, ValidationError

from chatbot.channels import repository
from chatbot.channels.accounts import Accounts, ConnectedChannel
from chatbot.channels.contract import Credentials, Finding
from chatbot.channels.errors import ChannelBroken
from chatbot.channels.masking import is_mask, require_known, sent_to, unmasked
from chatbot.channels.registration import Registration, is_registered
from chatbot.channels.registry import PROVIDERS
from chatbot.channels.schemas import ChangeChannel, CreateChannel
from chatbot.channels.widget.options import CONFIGURED, WidgetOptions, changed
from chatbot.core.clock import utcnow
from chatbot.core.crypto import Vault, random_secret
from chatbot.core.entered_address import vet
from chatbot.core.errors import FieldError, InvalidInput, NotFound
from chatbot.core.field_words import field_words
from chatbot.core.ids import new_id
from chatbot.core.safe_http import SafeHttp
from chatbot.db.models import Channel, ChannelSecret, ChannelState
from chatbot.db.sessions import Database, TenantReader, TenantSession
from chatbot.identity.audit.acting import note
from chatbot.identity.brands.service import create_brand
from chatbot.identity.subject import Role, Subject

ROTATION_OVERLAP = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel with its live state and its adapter; None: its secrets cannot be opened."""

    channel: Channel
    state: ChannelState | None
    connected: ConnectedChannel | None
    webhook_url: str
    last_event_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rotated:
    """A new secret.

    Attributes:
        previous_until: the one before works so long.
        registration: how it went to tell the provider; None: it knows of no secret.
    """

    secret: str
    previous_until: datetime
    registration: Finding | None


class ChannelService:
    """The administration of channels.

    Args:
        clear_text_to: hosts to which secrets may be sent over `http:`; None: to all.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        accounts: Accounts,
        http: SafeHttp,
        clear_text_to: Collection[str] | None = None,
    ) -> None:
        self._clear_text_to = clear_text_to
        self._database = database
        self._vault = vault
        self._accounts = accounts
        self._http = http
        self._registration = Registration(database, http)

    async def reach(self, subject: Subject, channel_id: UUID, at_least: Role) -> UUID:
        """Return the tenant of a channel that the subject reaches with at least this role.

        Raises:
            NotFound: no such channel, or one of a tenant that is none of the subject's.
            Forbidden: too low a role.
        """
        async with self._database.platform() as session:
            tenant_id = await repository.tenant_of(session, channel_id)
        return subject.reach(tenant_id, at_least, "channel")

    async def create(self, tenant_id: UUID, wanted: CreateChannel) -> tuple[ChannelRow, str]:
        """Make a channel.

        Returns:
            The channel and its secret, which cannot be read again.

        Raises:
            NotFound: no such brand, by its id; or no such tenant.
            InvalidInput: the credentials are not what the type needs, or hold an address that is not allowed.
        """
        credentials = _formed(wanted.channel_type, wanted.credentials)
        await self._vet(credentials)
        secret = _new_secret(wanted.channel_type)
        async with self._database.tenant(tenant_id) as session:
            brand_id = await _brand(session, wanted)
            channel = Channel(
                tenant_id=tenant_id, id=new_id(), brand_id=brand_id, channel_type=wanted.channel_type,
                display_name=wanted.display_name, configuration={}, enabled=True,
            )  # fmt: skip
            session.add(channel)
            await session.flush()
            session.add(ChannelState(tenant_id=tenant_id, id=channel.id))
            self._seal(session, channel.id, "secret", secret)
            self._seal(session, channel.id, "credentials", _as_text(credentials))
            await session.flush()
            await session.refresh(channel)
            note(
                target=f"channel:{channel.id}",
                detail={"channel_type": wanted.channel_type, "brand": str(brand_id)},
            )
            return await self._row(session, channel), secret

    async def get(self, tenant_id: UUID, channel_id: UUID) -> ChannelRow:
        """Return one channel; raises `NotFound`."""
        async with self._database.tenant_reader(tenant_id) as session:
            return await self._row(session, await _channel(session, channel_id))

    async def page(
        self, tenant_id: UUID, *, brand_id: UUID | None, channel_type: str | None, before: UUID | None, limit: int
    ) -> list[ChannelRow]:
        """Return the tenant's channels, newest first; one more than the limit when there are more."""
        async with self._database.tenant_reader(tenant_id) as session:
            channels = await repository.list_channels(
                session, brand_id=brand_id, channel_type=channel_type, before=before, limit=limit + 1
            )
            ids = [channel.id for channel in channels]
            states = await repository.list_states(session, ids)
            heard = await repository.last_events(session, ids)
            sealed = await repository.valid_secrets(session, ids)
        return [
            self._shown(channel, [row for row in sealed if row.channel_id == channel.id], states, heard)
            for channel in channels
        ]

    async def change(self, tenant_id: UUID, channel_id: UUID, wanted: ChangeChannel) -> ChannelRow:
        """Change what is given; raises as `create`.

        A webhook that was entered at the provider is entered again with new credentials and when the channel is
        switched on, and taken away when it is switched off.
        """
        await self._vet_given(tenant_id, channel_id, wanted.credentials)
        async with self._database.tenant(tenant_id) as session:
            channel = await _channel_to_change(session, channel_id)
            was_enabled = channel.enabled
            if wanted.display_name is not None:
                channel.display_name = wanted.display_name
            if wanted.enabled is not None:
                channel.enabled = wanted.enabled
            if wanted.credentials is not None:
                await self._give(session, channel, wanted.credentials)
            if wanted.widget is not None:
                _choose(channel, wanted.widget)
            await session.flush()
            await session.refresh(channel)
            changed = await self._row(session, channel)
        self._accounts.forget(channel_id)
        if not is_registered(changed.channel) or changed.connected is None:
            return changed
        if channel.enabled and (wanted.credentials is not None or not was_enabled):
            await self._registration.renew(changed.connected)
            return await self.get(tenant_id, channel_id)
        if was_enabled and not channel.enabled:
            await self._registration.withdraw(changed.connected)
        return changed

    async def rotate(self, tenant_id: UUID, channel_id: UUID, credentials: Mapping[str, Any] | None) -> Rotated:
        """Give a channel a new secret, and new credentials when there are any; the old ones work 15 minutes more.

        A provider that was told the old secret is told the new one.
        """
        await self._vet_given(tenant_id, channel_id, credentials)
        async with self._database.tenant(tenant_id) as session:
            channel = await _channel_to_change(session, channel_id)
            secret = _new_secret(channel.channel_type)
            until = await self._replace(session, channel_id, "secret", secret)
            if credentials is not None:
                await self._give(session, channel, credentials)
            connected = (await self._row(session, channel)).connected
        self._accounts.forget(channel_id)
        told = channel.enabled and is_registered(channel)
        return Rotated(secret, until, await self._registration.renew(connected) if connected and told else None)

    async def delete(self, tenant_id: UUID, channel_id: UUID) -> None:
        """Remove a channel: it takes and sends nothing any more; its conversations stay."""
        async with self._database.tenant(tenant_id) as session:
            channel = await _channel_to_change(session, channel_id)
            connected, told = (await self._row(session, channel)).connected, channel.enabled and is_registered(channel)
            channel.deleted_at, channel.enabled = utcnow(), False
            for purpose in ("secret", "credentials"):
                await repository.retire_secrets(session, channel_id, purpose, utcnow())
        self._accounts.forget(channel_id)
        if told and connected:
            await self._registration.withdraw(connected)

    async def register(self, tenant_id: UUID, channel_id: UUID) -> None:
        """Tell the provider where our webhook is; raises `ProviderRefused` with its words."""
        await self._registration.enter(_open(await self.get(tenant_id, channel_id)))

    async def unregister(self, tenant_id: UUID, channel_id: UUID) -> None:
        """Take our webhook away at the provider; raises `ProviderRefused` with its words."""
        await self._registration.remove(_open(await self.get(tenant_id, channel_id)))

    async def test(self, tenant_id: UUID, channel_id: UUID) -> list[Finding]:
        """Look what works and what does not, and remember it."""
        connected = _open(await self.get(tenant_id, channel_id))
        findings = await connected.provider.check(connected.account, self._http)
        async with self._database.tenant(tenant_id) as session:
            await repository.note_findings(session, channel_id, findings)
        return findings

    async def _row(self, session: TenantReader, channel: Channel) -> ChannelRow:
        sealed = await repository.valid_secrets(session, [channel.id])
        states = await repository.list_states(session, [channel.id])
        heard = await repository.last_events(session, [channel.id])
        return self._shown(channel, sealed, states, heard)

    def _shown(
        self,
        channel: Channel,
        sealed: Sequence[ChannelSecret],
        states: Mapping[UUID, ChannelState],
        heard: Mapping[UUID, datetime],
    ) -> ChannelRow:
        """A channel whose secrets cannot be opened is shown without its adapter, so that it can be given new ones."""
        try:
            connected = self._accounts.connect(channel, sealed)
        except ChannelBroken:
            connected = None
        url = self._accounts.webhook_url(channel)
        return ChannelRow(channel, states.get(channel.id), connected, url, heard.get(channel.id))

    async def _vet(self, credentials: Credentials) -> None:
        """Look up the addresses; done with no connection in hand, for a name may take seconds."""
        for name, value in credentials:
            if name.endswith("_url") and isinstance(value, str) and value:
                await vet(self._http, value, f"credentials.{name}")
                self._require_encryption(credentials, name, value)

    def _require_encryption(self, credentials: Credentials, name: str, url: str) -> None:
        if self._clear_text_to is None or name not in sent_to(credentials):
            return
        address = self._http.check(url)
        if address.scheme != "https" and address.host.lower() not in self._clear_text_to:
            raise InvalidInput.field(f"credentials.{name}", "must begin with https://, for secrets are sent there")

    async def _vet_given(self, tenant_id: UUID, channel_id: UUID, given: Mapping[str, Any] | None) -> None:
        if given is not None:
            await self._vet(_meant(await self.get(tenant_id, channel_id), given))

    async def _give(self, session: TenantSession, channel: Channel, given: Mapping[str, Any]) -> None:
        """Replace the credentials, whose addresses are vetted by now."""
        credentials = _meant(await self._row(session, channel), given)
        await self._replace(session, channel.id, "credentials", _as_text(credentials))
        await repository.forget_state(session, channel.id)

    async def _replace(self, session: TenantSession, channel_id: UUID, purpose: str, plain: str) -> datetime:
        until = utcnow() + ROTATION_OVERLAP
        await repository.retire_secrets(session, channel_id, purpose, until)
        self._seal(session, channel_id, purpose, plain)
        await session.flush()
        return until

    def _seal(self, session: TenantSession, channel_id: UUID, purpose: str, plain: str) -> None:
        row_id = new_id()
        sealed = self._vault.seal(session.tenant_id, row_id, plain)
        session.add(
            ChannelSecret(
                tenant_id=session.tenant_id, id=row_id, channel_id=channel_id, purpose=purpose, sealed=sealed,
                key_id=self._vault.key_id,
            )
        )  # fmt: skip


def _open(row: ChannelRow) -> ConnectedChannel:
    if row.connected is None:
        raise ChannelBroken
    return row.connected


def _meant(row: ChannelRow, given: Mapping[str, Any]) -> Credentials:
    """Return new credentials of a channel; a secret that is given as it is shown, masked, stays as it was."""
    if row.connected is None:
        return _formed(row.channel.channel_type, given)
    stored = row.connected.account.credentials
    meant, kept = unmasked(given, stored)
    credentials = _formed(row.channel.channel_type, meant)
    require_known(stored, credentials, kept)
    return credentials


def _formed(channel_type: str, given: Mapping[str, Any]) -> Credentials:
    try:
        credentials: Credentials = PROVIDERS[channel_type].credentials.model_validate(dict(given))
    except ValidationError as error:
        fields = [FieldError(_path(item["loc"]), _words(channel_type, dict(item))) for item in error.errors()]
        words = "; ".join(f"{field.field}: {field.message}" for field in fields[:5])
        raise InvalidInput(words, errors=fields) from None
    for name, value in credentials:
        if isinstance(value, SecretStr) and is_mask(value.get_secret_value()):
            raise InvalidInput.field(f"credentials.{name}", "is masked; give the secret itself")
    return credentials


def _as_text(credentials: Credentials) -> str:
    plain = {name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in credentials}
    return orjson.dumps(plain).decode()


def _new_secret(channel_type: str) -> str:
    """Standard Webhooks wants base64 behind its prefix; the others take any text that fits into a header or a path."""
    if channel_type == "webhook":
        return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    return random_secret("xin_ch_")


def _choose(channel: Channel, wanted: WidgetOptions) -> None:
    if channel.channel_type != "web":
        raise InvalidInput.field("widget", "is for web channels")
    channel.configuration = {**channel.configuration, CONFIGURED: changed(channel.configuration, wanted)}


async def _channel(session: TenantReader, channel_id: UUID) -> Channel:
    return _found(await repository.get_channel(session, channel_id))


async def _channel_to_change(session: TenantSession, channel_id: UUID) -> Channel:
    """One change after the other: of two new secrets at once neither would take the other's place."""
    return _found(await repository.lock_channel(session, channel_id))


def _found(channel: Channel | None) -> Channel:
    if channel is None:
        raise NotFound("no such channel")
    return channel


async def _brand(session: TenantSession, wanted: CreateChannel) -> UUID:
    """The brand that is asked for. Operators name one that they have only just thought of, so a new name makes it."""
    if wanted.brand_id is not None:
        brand_id = wanted.brand_id if await repository.has_brand(session, wanted.brand_id) else None
    elif wanted.brand_name is not None:
        known = await repository.brand_named(session, wanted.brand_name)
        brand_id = known or (await create_brand(session, wanted.brand_name)).id
    else:
        brand_id = await repository.default_brand(session)
    if brand_id is None:
        raise NotFound("no such brand")
    return brand_id


def _words(channel_type: str, problem: Mapping[str, Any]) -> str:
    """What is wrong with a credential; of a form that is not met, what it is; of a name, which there are."""
    fields = PROVIDERS[channel_type].credentials.model_fields
    if problem["type"] == "extra_forbidden":
        return f"is no credential of {channel_type}; there are {', '.join(fields)}"
    words = field_words(problem)
    field = fields.get(problem["loc"][0]) if problem["loc"] else None
    if problem["type"] == "value_error" and field is not None and field.description:
        return f"{words} ({field.description.rstrip('.')})"
    return words


def _path(location: tuple[Any, ...]) -> str:
    return ".".join(["credentials", *(str(part) for part in location)])
