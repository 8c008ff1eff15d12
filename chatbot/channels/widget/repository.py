"""The rows behind the widget: a brand's web channel, and what visitors said of themselves."""

from collections.abc import Mapping
from uuid import UUID

import orjson
from sqlalchemy import Row, select, text

from chatbot.core import correlation
from chatbot.core.ids import new_id
from chatbot.db.models import Brand, Channel, Tenant, Visitor
from chatbot.db.sessions import TenantReader, TenantSession

_KEEP = text("""
INSERT INTO visitors AS v (tenant_id, id, subject, fields)
VALUES (:tenant_id, :id, :subject, CAST(:fields AS jsonb))
ON CONFLICT (tenant_id, subject) DO UPDATE SET fields = v.fields || excluded.fields, updated_at = now()
RETURNING fields
""")

# What the host page vouched for is not the visitor's to change.
_TELL = text("""
WITH told AS (
    UPDATE conversations SET visitor = visitor || CAST(:fields AS jsonb) || CAST(:vouched AS jsonb)
    WHERE tenant_id = :tenant_id AND owner = :subject AND brand_id = :brand_id
    RETURNING id, brand_id, channel_id
)
INSERT INTO events (tenant_id, name, payload, correlation_id)
SELECT :tenant_id, 'visitor.introduced',
       jsonb_build_object('conversation_id', id, 'brand_id', brand_id, 'channel_id', channel_id), :correlation_id
FROM told
""")


# Messages and seen marks stay as they are: the conversation is the same, its visitor has a name now.
_CLAIM = text("""
WITH claimed AS (
    UPDATE conversations SET visitor = visitor || CAST(:vouched AS jsonb), updated_at = now()
    WHERE tenant_id = :tenant_id AND owner = :subject AND brand_id = :brand_id
    RETURNING id, brand_id, channel_id
), logged AS (
    INSERT INTO events (tenant_id, name, payload, correlation_id)
    SELECT :tenant_id, 'visitor.introduced',
           jsonb_build_object('conversation_id', id, 'brand_id', brand_id, 'channel_id', channel_id), :correlation_id
    FROM claimed
)
SELECT id FROM claimed ORDER BY id
""")


async def web_channel(session: TenantReader, brand_id: UUID | None) -> Row[Tenant, Brand, Channel] | None:
    """Return the living tenant, a brand (None: its default one) and that brand's oldest web channel in use."""
    query = (
        select(Tenant, Brand, Channel)
        .join(Brand, Brand.tenant_id == Tenant.id)
        .join(Channel, (Channel.tenant_id == Tenant.id) & (Channel.brand_id == Brand.id))
        .where(Tenant.id == session.tenant_id, Tenant.deleted_at.is_(None))
        .where(Brand.id == (brand_id or Tenant.default_brand_id))
        .where(Channel.channel_type == "web", Channel.enabled, Channel.deleted_at.is_(None))
        .order_by(Channel.created_at, Channel.id)
        .limit(1)
    )
    return (await session.execute(query)).one_or_none()


async def fields_of(session: TenantReader, subject: str) -> dict[str, str]:
    """Return what a visitor said of themselves."""
    query = select(Visitor.fields).where(Visitor.tenant_id == session.tenant_id, Visitor.subject == subject)
    return (await session.execute(query)).scalar_one_or_none() or {}


async def keep_fields(
    session: TenantSession, brand_id: UUID, subject: str, fields: Mapping[str, str], vouched: Mapping[str, str]
) -> dict[str, str]:
    """Keep what a visitor says, show it in their conversations with a brand, and return all that they said so far.

    Args:
        vouched: what their token vouches for: it goes before whatever they say.
    """
    known = {"tenant_id": session.tenant_id, "subject": subject, "fields": _json(fields)}
    kept: dict[str, str] = (await session.execute(_KEEP, {**known, "id": new_id()})).scalar_one()
    told = {**known, "brand_id": brand_id, "vouched": _json(vouched), "correlation_id": correlation.current()}
    await session.execute(_TELL, told)
    return kept


async def claim(session: TenantSession, brand_id: UUID, subject: str, claimant: Mapping[str, str]) -> list[UUID]:
    """Give the conversations of one subject with a brand to another, and return their ids.

    Args:
        claimant: what conversations keep of the new visitor, the new `subject` among it.
    """
    values = {"tenant_id": session.tenant_id, "brand_id": brand_id, "subject": subject, "vouched": _json(claimant)}
    found = await session.execute(_CLAIM, {**values, "correlation_id": correlation.current()})
    return list(found.scalars())


def _json(value: Mapping[str, str]) -> str:
    return orjson.dumps(dict(value)).decode()
