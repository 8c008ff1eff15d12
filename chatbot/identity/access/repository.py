"""Look-ups behind credentials. They cross tenants: a credential comes before its tenant is known."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, or_, select, update

from chatbot.db.models import ApiKey, Membership, Tenant, User, UserSession
from chatbot.db.sessions import PlatformSession

_USED_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class UserRow:
    """What decides on a signed-in user."""

    user_id: UUID
    is_platform_admin: bool
    memberships: dict[UUID, str]


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


async def find_api_key(session: PlatformSession, key_hash: str, now: datetime) -> Row[UUID, UUID, str] | None:
    """Return `(id, tenant_id, role)` of a good API key, and note that it is used."""
    query = (
        select(ApiKey.id, ApiKey.tenant_id, ApiKey.role)
        .join(Tenant, Tenant.id == ApiKey.tenant_id)
        .where(ApiKey.key_hash == key_hash, ApiKey.revoked_at.is_(None), Tenant.deleted_at.is_(None))
        .where(or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now))
    )
    found = (await session.execute(query)).one_or_none()
    if found:
        stale = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < now - _USED_STEP)
        await session.execute(update(ApiKey).where(ApiKey.key_hash == key_hash, stale).values(last_used_at=now))
    return found


async def tenant_lives(session: PlatformSession, tenant_id: UUID) -> bool:
    """Whether the tenant exists and is not deleted."""
    query = select(Tenant.id).where(Tenant.id == tenant_id, Tenant.deleted_at.is_(None))
    return (await session.execute(query)).scalar_one_or_none() is not None
