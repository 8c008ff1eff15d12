"""Channels, their secrets and their live state in the database."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, func, or_, select, text, type_coerce, update
from sqlalchemy.dialects.postgresql import JSONB, array, insert

from chatbot.channels.contract import Finding
from chatbot.core.clock import utcnow
from chatbot.db.models import Brand, Channel, ChannelSecret, ChannelState, Tenant
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession

# Ids rise with time: the newest event is found by the index, one step a channel.
_LAST_EVENTS = text("""
SELECT id, CASE WHEN channel_type = 'web' THEN (
    SELECT updated_at FROM conversations
    WHERE tenant_id = :tenant_id AND channel_id = ch.id ORDER BY updated_at DESC LIMIT 1
) ELSE (
    SELECT received_at FROM inbound_events
    WHERE tenant_id = :tenant_id AND channel_id = ch.id ORDER BY id DESC LIMIT 1
) END AS heard_at
FROM channels ch WHERE tenant_id = :tenant_id AND id = ANY(:ids)
""")

_SHOWN_ELSEWHERE = text("""
SELECT found FROM channels, jsonb_array_elements_text(configuration->:name) AS found
WHERE configuration ? :name AND tenant_id <> :tenant_id AND deleted_at IS NULL
  AND found = ANY(CAST(:values AS text[]))
""")


async def tenant_of(session: PlatformSession, channel_id: UUID) -> UUID | None:
    """Return whose channel it is; a deleted one is nobody's."""
    live = (Channel.id == channel_id, Channel.deleted_at.is_(None))
    return (await session.execute(select(Channel.tenant_id).where(*live))).scalar_one_or_none()


async def all_enabled(
    session: PlatformSession, channel_types: Collection[str], only: Collection[UUID] | None = None
) -> list[tuple[Channel, list[ChannelSecret]]]:
    """Return every channel of some types that is switched on, of living tenants, with the secrets that still count.

    Args:
        only: of these channels; None: of all.
    """
    living = (Channel.deleted_at.is_(None), Channel.enabled, Tenant.deleted_at.is_(None))
    query = select(Channel).join(Tenant, Tenant.id == Channel.tenant_id).where(*living)
    query = query.where(Channel.channel_type.in_(channel_types))
    if only is not None:
        query = query.where(Channel.id.in_(only))
    channels = list(await session.scalars(query.order_by(Channel.id)))
    secrets: dict[UUID, list[ChannelSecret]] = {channel.id: [] for channel in channels}
    ours = ChannelSecret.channel_id.in_(list(secrets))
    for secret in await session.scalars(_newest_first(select(ChannelSecret).where(ours, _unexpired()))):
        secrets[secret.channel_id].append(secret)
    return [(channel, secrets[channel.id]) for channel in channels]


async def get_channel(session: TenantReader, channel_id: UUID) -> Channel | None:
    """Return a channel of the session's tenant; None for a deleted one."""
    channel = await session.get(Channel, (session.tenant_id, channel_id))
    return None if channel is None or channel.deleted_at else channel


async def first_channel(session: TenantReader, brand_id: UUID, channel_type: str) -> UUID | None:
    """Return the channel of a type that a brand had first, of those that are switched on."""
    query = (
        select(Channel.id)
        .where(Channel.tenant_id == session.tenant_id, Channel.brand_id == brand_id)
        .where(Channel.channel_type == channel_type, Channel.enabled, Channel.deleted_at.is_(None))
        .order_by(Channel.created_at, Channel.id)
        .limit(1)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def lock_channel(session: TenantSession, channel_id: UUID) -> Channel | None:
    """Return a channel that nobody else changes until the transaction ends; None for a deleted one."""
    channel = await session.get(Channel, (session.tenant_id, channel_id), with_for_update=True)
    return None if channel is None or channel.deleted_at else channel


async def shown_channels(session: PlatformSession, name: str) -> list[tuple[UUID, UUID, list[str]]]:
    """Return `(tenant_id, channel_id, values)` of living channels whose configuration has a list of that name."""
    living = (Channel.deleted_at.is_(None), Channel.enabled, Tenant.deleted_at.is_(None))
    query = (
        select(Channel.tenant_id, Channel.id, Channel.configuration[name])
        .join(Tenant, Tenant.id == Channel.tenant_id)
        .where(*living, Channel.configuration.has_key(name))
        .order_by(Channel.id)
    )
    return [(row[0], row[1], row[2]) for row in await session.execute(query)]


async def shown_elsewhere(session: PlatformSession, name: str, values: Collection[str], tenant_id: UUID) -> set[str]:
    """Return which of the values stand in the lists of that name of another tenant's living channels."""
    given = {"name": name, "values": list(values), "tenant_id": tenant_id}
    return set((await session.execute(_SHOWN_ELSEWHERE, given)).scalars())


async def brand_names(session: TenantReader, brand_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of brands."""
    owned = (Brand.tenant_id == session.tenant_id, Brand.id.in_(brand_ids))
    return {row[0]: row[1] for row in await session.execute(select(Brand.id, Brand.name).where(*owned))}


async def configure(session: TenantSession, channel_id: UUID, values: Mapping[str, Any]) -> None:
    """Enter values into a channel's configuration beside what is there; None takes one out."""
    given = type_coerce({name: value for name, value in values.items() if value is not None}, JSONB)
    gone = array([name for name, value in values.items() if value is None], type_=Text)
    owned = (Channel.tenant_id == session.tenant_id, Channel.id == channel_id)
    merged = Channel.configuration.op("-")(gone).concat(given)
    await session.execute(update(Channel).where(*owned).values(configuration=merged))


async def forget_state(session: TenantSession, channel_id: UUID) -> None:
    """What was known of a channel with other credentials says nothing any more; counts and the cursor stay."""
    owned = (ChannelState.tenant_id == session.tenant_id, ChannelState.id == channel_id)
    await session.execute(update(ChannelState).where(*owned).values(state="idle", findings=[]))


async def list_channels(
    session: TenantReader, *, brand_id: UUID | None, channel_type: str | None, before: UUID | None, limit: int
) -> list[Channel]:
    """Return the tenant's channels, newest first."""
    query = select(Channel).where(Channel.tenant_id == session.tenant_id, Channel.deleted_at.is_(None))
    if brand_id is not None:
        query = query.where(Channel.brand_id == brand_id)
    if channel_type is not None:
        query = query.where(Channel.channel_type == channel_type)
    if before is not None:
        query = query.where(Channel.id < before)
    return list(await session.scalars(query.order_by(Channel.id.desc()).limit(limit)))


async def brand_named(session: TenantReader, name: str) -> UUID | None:
    """Return the brand of that name, whatever its capitals."""
    owned = (Brand.tenant_id == session.tenant_id, func.lower(Brand.name) == name.lower())
    return (await session.execute(select(Brand.id).where(*owned))).scalar_one_or_none()


async def has_brand(session: TenantReader, brand_id: UUID) -> bool:
    """Whether the brand is the session's tenant's."""
    return await session.get(Brand, (session.tenant_id, brand_id)) is not None


async def web_channel_of(session: TenantReader, brand_id: UUID) -> UUID | None:
    """Return the oldest web channel of a brand that is switched on."""
    owned = (Channel.tenant_id == session.tenant_id, Channel.brand_id == brand_id, Channel.channel_type == "web")
    query = select(Channel.id).where(*owned, Channel.enabled, Channel.deleted_at.is_(None))
    return (await session.execute(query.order_by(Channel.created_at, Channel.id).limit(1))).scalar_one_or_none()


async def default_brand(session: TenantReader) -> UUID | None:
    """Return the tenant's default brand."""
    return (
        await session.execute(select(Tenant.default_brand_id).where(Tenant.id == session.tenant_id))
    ).scalar_one_or_none()


async def valid_secrets(session: TenantReader, channel_ids: list[UUID]) -> list[ChannelSecret]:
    """Return the secrets that still count, newest first."""
    owned = (ChannelSecret.tenant_id == session.tenant_id, ChannelSecret.channel_id.in_(channel_ids))
    return list(await session.scalars(_newest_first(select(ChannelSecret).where(*owned, _unexpired()))))


def _unexpired() -> ColumnElement[bool]:
    return or_(ChannelSecret.expires_at.is_(None), ChannelSecret.expires_at > func.now())


def _newest_first(query: Select[ChannelSecret]) -> Select[ChannelSecret]:
    return query.order_by(ChannelSecret.expires_at.desc().nulls_first())


async def retire_secrets(session: TenantSession, channel_id: UUID, purpose: str, until: datetime) -> None:
    """Let the present secret of a purpose count until then and no longer; older ones end when they would."""
    present = (
        ChannelSecret.tenant_id == session.tenant_id,
        ChannelSecret.channel_id == channel_id,
        ChannelSecret.purpose == purpose,
        ChannelSecret.expires_at.is_(None),
    )
    await session.execute(update(ChannelSecret).where(*present).values(expires_at=until))


async def list_states(session: TenantReader, channel_ids: list[UUID]) -> dict[UUID, ChannelState]:
    """Return the live states of channels."""
    owned = (ChannelState.tenant_id == session.tenant_id, ChannelState.id.in_(channel_ids))
    return {state.id: state for state in await session.scalars(select(ChannelState).where(*owned))}


async def hold_back(session: TenantSession, channel_id: UUID, until: datetime) -> None:
    """Send nothing more through a channel until then: the provider said so."""
    statement = insert(ChannelState).values(
        tenant_id=session.tenant_id, id=channel_id, blocked_until=until, rate_limited=1
    )
    raised = {"blocked_until": until, "rate_limited": ChannelState.rate_limited + 1}
    await session.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=raised))


async def note_failure(session: TenantSession, channel_id: UUID, words: str) -> None:
    """Remember the last thing that went wrong on a channel."""
    now = utcnow()
    statement = insert(ChannelState).values(
        tenant_id=session.tenant_id, id=channel_id, last_error=words, last_error_at=now, errors=1
    )
    counted = {"last_error": words, "last_error_at": now, "errors": ChannelState.errors + 1}
    await session.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=counted))


async def note_findings(session: TenantSession, channel_id: UUID, findings: Sequence[Finding]) -> None:
    """Remember what a test of a channel found."""
    values = {
        "findings": [{"name": one.name, "ok": one.ok, "words": one.words} for one in findings],
        "checked_at": utcnow(),
    }
    statement = insert(ChannelState).values(tenant_id=session.tenant_id, id=channel_id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=values))


async def last_events(session: TenantReader, channel_ids: list[UUID]) -> dict[UUID, datetime]:
    """Return when each channel last told us something, of those that ever did.

    A web channel has no provider that tells: there it is when something was last said.
    """
    values = {"tenant_id": session.tenant_id, "ids": channel_ids}
    return {row[0]: row[1] for row in await session.execute(_LAST_EVENTS, values) if row[1]}
