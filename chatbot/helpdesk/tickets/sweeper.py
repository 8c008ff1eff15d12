"""Looks for clocks whose end has passed, and writes `ticket.sla_breached` once for each; one process at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError

from chatbot.core.background import end, forever
from chatbot.core.clock import utcnow
from chatbot.core.logging import get_logger
from chatbot.db.leader import Leader
from chatbot.db.roles import PLATFORM_ROLE, conninfo, role_url
from chatbot.db.sessions import Database
from chatbot.helpdesk.tickets import repository

log = get_logger(__name__)

SWEEP_SECONDS = 15.0
_SWEEPER = 0x58494E54
"""One sweeper for all processes."""

_AT_ONCE = 500


async def sweep(database: Database) -> int:
    """Mark what is late; return how many clocks were."""
    found = 0
    while True:
        async with database.platform() as session:
            marked = await repository.mark_breached(session, utcnow(), _AT_ONCE)
        found += marked
        if marked < _AT_ONCE:
            return found


@asynccontextmanager
async def sweeping(database: Database, seconds: float = SWEEP_SECONDS) -> AsyncIterator[None]:
    """Sweep every so often while the block runs."""
    leader = Leader(conninfo(role_url(database.url, PLATFORM_ROLE)), _SWEEPER)

    async def swept() -> None:
        if await leader.leads() and (late := await sweep(database)):
            log.info("clocks of tickets have run out", clocks=late)

    task = asyncio.create_task(
        forever(swept, seconds, passing=(SQLAlchemyError, OSError), what="sweeping tickets"), name="ticket sweeper"
    )
    try:
        yield
    finally:
        await end(task)
        await leader.resign()
