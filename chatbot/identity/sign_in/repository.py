"""Users and their sessions; global rows, so through platform sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update

from chatbot.db.models import Membership, Tenant, User, UserSession
from chatbot.db.sessions import PlatformSession


async def find_user_by_email(session: PlatformSession, email: str) -> User | None:
    """Return an active user by address, whatever its capitals."""
    query = select(User).where(func.lower(User.email) == email.lower(), *_active())
    return (await session.scalars(query)).one_or_none()


async def find_user(session: PlatformSession, user_id: UUID, *, lock: bool = False) -> User | None:
    """Return an active user; with `lock` its row is held to the end of the transaction."""
    query = select(User).where(User.id == user_id, *_active())
    return (await session.scalars(query.with_for_update() if lock else query)).one_or_none()


def _active() -> tuple[ColumnElement[bool], ...]:
    """Who may sign in: nobody whose every tenant is out of service."""
    member = select(Membership.user_id).where(Membership.user_id == User.id)
    lives = member.join(Tenant, Tenant.id == Membership.tenant_id).where(Tenant.deleted_at.is_(None))
    has_place = or_(User.is_platform_admin, ~member.exists(), lives.exists())
    return User.status == "active", User.deleted_at.is_(None), has_place


async def named_memberships(session: PlatformSession, user_id: UUID) -> list[tuple[UUID, str, str]]:
    """Return `(tenant_id, tenant_name, role)` of a user in each living tenant, by name."""
    query = (
        select(Tenant.id, Tenant.name, Membership.role)
        .join(Membership, Membership.tenant_id == Tenant.id)
        .where(Membership.user_id == user_id, Tenant.deleted_at.is_(None))
        .order_by(func.lower(Tenant.name), Tenant.id)
    )
    return list((await session.execute(query)).tuples().all())


async def note_sign_in(session: PlatformSession, user_id: UUID, now: datetime) -> None:
    """Note when a user signed in."""
    await session.execute(
        update(User).where(User.id == user_id).values(last_sign_in_at=now, updated_at=User.updated_at)
    )


async def lock_session(session: PlatformSession, session_id: UUID, now: datetime) -> UserSession | None:
    """Return a good session and hold its row, so that of two refreshes at once one comes second."""
    query = select(UserSession).where(
        UserSession.id == session_id, UserSession.revoked_at.is_(None), UserSession.expires_at > now
    )
    return (await session.scalars(query.with_for_update())).one_or_none()


async def end_sessions(session: PlatformSession, user_id: UUID, now: datetime, *, but: UUID | None = None) -> None:
    """End a user's sessions, all but one that is named."""
    statement = update(UserSession).where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None))
    if but is not None:
        statement = statement.where(UserSession.id != but)
    await session.execute(statement.values(revoked_at=now))
