"""Look-ups behind credentials. They cross tenants: a credential comes before its tenant is known."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import aliased

from chatbot.db.models import ApiKey, Channel, Membership, Tenant, User, UserSession
from chatbot.db.sessions import PlatformSession, TenantReader

_USED_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class UserRow:
    """What decides on a signed-in user."""

    user_id: UUID
    is_platform_admin: bool
    memberships: dict[UUID, str]


@dataclass(frozen=True, slots=True)
class KeyRow:
    """An API key; `good` unless it is revoked or expired, or its tenant deleted; `rotated`: into it, or out of it."""

    key_id: UUID
    tenant_id: UUID
    role: str
    good: bool
    rotated: list[UUID]


async def find_signed_in(session: PlatformSession, user_id: UUID, session_id: UUID, now: datetime) -> UserRow | None:
    """Return the user while both the user and the session are good."""
    query = (
        select(User.is_platform_admin)
        .join(UserSession, UserSession.user_id == User.id)
        .where(User.id == user_id, User.status == "active", User.deleted_at.is_(None))
        .where(UserSession.id == session_id, UserSession.revoked_at.is_(None), UserSession.expires_at > now)
    )
    found = (await session.execute(query)).scalar_one_or_none()
    if found is None:
        return None
    return UserRow(user_id, found, await find_memberships(session, user_id))


async def find_memberships(session: PlatformSession, user_id: UUID) -> dict[UUID, str]:
    """Return a user's role in each living tenant."""
    query = (
        select(Membership.tenant_id, Membership.role)
        .join(Tenant, Tenant.id == Membership.tenant_id)
        .where(Membership.user_id == user_id, Tenant.deleted_at.is_(None))
    )
    return dict((await session.execute(query)).tuples().all())


async def find_api_key(session: PlatformSession, key_hash: str, now: datetime) -> KeyRow | None:
    """Return an API key, and note that it is used when it is good."""
    lives = ApiKey.revoked_at.is_(None) & Tenant.deleted_at.is_(None)
    good = lives & or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)
    other = aliased(ApiKey)
    program = func.coalesce(other.agent_id, other.id) == func.coalesce(ApiKey.agent_id, ApiKey.id)
    rotated = select(func.array_agg(other.id)).where(
        other.tenant_id == ApiKey.tenant_id, program, other.id != ApiKey.id
    )
    query = (
        select(ApiKey.id, ApiKey.tenant_id, ApiKey.role, good, func.coalesce(rotated.scalar_subquery(), []))
        .join(Tenant, Tenant.id == ApiKey.tenant_id)
        .where(ApiKey.key_hash == key_hash)
    )
    row = (await session.execute(query)).one_or_none()
    found = KeyRow(*row) if row else None
    if found and found.good:
        stale = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < now - _USED_STEP)
        await session.execute(update(ApiKey).where(ApiKey.key_hash == key_hash, stale).values(last_used_at=now))
    return found


async def tenant_lives(session: PlatformSession, tenant_id: UUID) -> bool:
    """Whether the tenant exists and is not deleted."""
    query = select(Tenant.id).where(Tenant.id == tenant_id, Tenant.deleted_at.is_(None))
    return (await session.execute(query)).scalar_one_or_none() is not None


async def web_origins(session: TenantReader, brand_id: UUID | None) -> set[str]:
    """Return the origins that the living web channels of a brand, or of all brands, name as their pages'."""
    living = (Channel.channel_type == "web", Channel.enabled, Channel.deleted_at.is_(None))
    query = select(Channel.configuration["allowed_origins"]).where(Channel.tenant_id == session.tenant_id, *living)
    if brand_id is not None:
        query = query.where(Channel.brand_id == brand_id)
    return {origin for origins in await session.scalars(query) for origin in origins or ()}
