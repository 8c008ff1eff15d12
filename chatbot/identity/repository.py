"""The first rows of a platform."""

from sqlalchemy import select, text

from chatbot.db.models import User
from chatbot.db.sessions import PlatformSession

_FIRST_START = 0x58494E01


async def lock_first_start(session: PlatformSession) -> None:
    """Wait until no other process makes the first rows; held to the end of the transaction."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _FIRST_START})


async def has_users(session: PlatformSession) -> bool:
    """Whether anybody was ever a user here."""
    return (await session.execute(select(User.id).limit(1))).first() is not None
