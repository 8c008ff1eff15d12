"""Users and their sessions; global rows, so through platform sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from chatbot.db.models import User, UserSession
from chatbot.db.sessions import PlatformSession


async def find_user_by_email(session: PlatformSession, email: str) -> User | None:
    """Return an active user by address, whatever its capitals."""
    query = select(User).where(func.lower(User.email) == email.lower())
    return (await session.scalars(query.where(User.status == "active", User.deleted_at.is_(None)))).one_or_none()


async def find_user(session: PlatformSession, user_id: UUID) -> User | None:
    """Return an active user."""
    query = select(User).where(User.id == user_id, User.status == "active", User.deleted_at.is_(None))
    return (await session.scalars(query)).one_or_none()


async def lock_session(session: PlatformSession, session_id: UUID, now: datetime) -> UserSession | None:
    """Return a good session and hold its row, so that of two refreshes at once one comes second."""
    query = select(UserSession).where(
        UserSession.id == session_id, UserSession.revoked_at.is_(None), UserSession.expires_at > now
    )
    return (await session.scalars(query.with_for_update())).one_or_none()
