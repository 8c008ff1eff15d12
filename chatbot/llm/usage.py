"""Opening a turn's ledger and booking it, inside the turn's own transactions; and booking what no turn is about."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from chatbot.core.clock import utcnow
from chatbot.core.errors import MissingTenant
from chatbot.db.sessions import Database, TenantReader, TenantSession
from chatbot.llm import repository
from chatbot.llm.budgets import Budget, Ledger, total
from chatbot.llm.metering import on_account


async def open_ledger(session: TenantReader, budget: Budget) -> Ledger:
    """Begin a turn's ledger with what the session's tenant has spent on this UTC day and in this month."""
    if not budget.limited:
        return Ledger(session.tenant_id, budget)
    return Ledger(session.tenant_id, budget, *await repository.spent_on(session, utcnow().date()))


def record_usage(session: TenantSession, ledger: Ledger, *, message_id: UUID | None = None) -> None:
    """Book a ledger: a row per call, and the sum on the tenant's counter of this UTC day.

    Call it once, in the transaction that ends the turn; nothing is written when there was no call.

    Raises:
        MissingTenant: the session is another tenant's than the ledger.
    """
    if session.tenant_id != ledger.tenant_id:
        raise MissingTenant("usage is booked in a session of the ledger's own tenant")
    if not ledger.calls:
        return
    repository.book(session, ledger.calls, total(ledger.calls), utcnow().date(), message_id)


@asynccontextmanager
async def booked(database: Database, ledger: Ledger) -> AsyncIterator[None]:
    """Have what is embedded in the block entered into a ledger, and book that in a transaction of its own.

    It has been paid for, whatever becomes of the block and of what is written after it.
    """
    try:
        with on_account(ledger):
            yield
    finally:
        if ledger.calls:
            async with database.tenant(ledger.tenant_id) as session:
                record_usage(session, ledger)
