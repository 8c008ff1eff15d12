"""Work for one tenant after the other, so that what goes wrong with one is that one's alone."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from chatbot.core.logging import get_logger
from chatbot.db.sessions import is_away

Done = TypeVar("Done")

log = get_logger(__name__)


async def apart(tenant_id: UUID, what: str, work: Callable[[], Awaitable[Done]]) -> Done | None:
    """Do one tenant's work; a fault is logged, so that those after it have theirs done all the same.

    Returns:
        What the work returns; None where it failed, to be tried at the next round.

    Raises:
        what work raises while the database is away: then it is everybody's trouble.
    """
    try:
        return await work()
    except Exception as error:
        if is_away(error):
            raise
        log.exception("a tenant's work failed", what=what, tenant_id=str(tenant_id))
        return None
