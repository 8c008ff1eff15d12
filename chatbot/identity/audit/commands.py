"""A command of an operator, and the row that it leaves in the audit log."""

from collections.abc import Iterator
from contextlib import contextmanager

from chatbot.db.sessions import PlatformSession, TenantSession, Transaction, before_commit
from chatbot.identity.audit.service import Entry, record

OPERATOR = "cli"


@contextmanager
def audited(entry: Entry) -> Iterator[None]:
    """Let the block's first transaction that may write leave this entry, with what it writes or not at all."""
    written = False

    async def leave(session: Transaction) -> None:
        nonlocal written
        if not written and isinstance(session, TenantSession | PlatformSession):
            await record(session, entry)
            written = True

    token = before_commit.set(leave)
    try:
        yield
    finally:
        before_commit.reset(token)
