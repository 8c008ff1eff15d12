"""What the help desk does by itself, by one process of all: it looks after absent agents and fills the search."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from chatbot.core.background import end, forever
from chatbot.db.leader import Leader
from chatbot.db.roles import PLATFORM_ROLE, conninfo, role_url
from chatbot.db.sessions import Database
from chatbot.dialogue.handoff.parts import Messenger
from chatbot.helpdesk.agents.absence import look_after
from chatbot.helpdesk.search.indexing import index_news

_ABSENCE = 0x58494E41
_SEARCH = 0x58494E46


@dataclass(frozen=True, slots=True)
class Paces:
    """Seconds between two looks."""

    absence: float = 10.0
    search: float = 2.0


@asynccontextmanager
async def keeping_desk(
    database: Database, messenger: Messenger | None, paces: Paces | None = None
) -> AsyncIterator[None]:
    """Keep the help desk while the block runs; each work is one process's, whichever comes first."""
    paces = paces or Paces()
    works = [
        _Work(database, _ABSENCE, "looking after agents", paces.absence, partial(look_after, database, messenger)),
        _Work(database, _SEARCH, "filling the search", paces.search, partial(index_news, database)),
    ]
    tasks = [asyncio.create_task(work.run(), name=work.what) for work in works]
    try:
        yield
    finally:
        await end(*tasks)
        for work in works:
            await work.leader.resign()


class _Work:
    """One thing that is done again and again by whoever leads."""

    def __init__(
        self, database: Database, lock: int, what: str, pause: float, do: Callable[[], Awaitable[object]]
    ) -> None:
        self.leader = Leader(conninfo(role_url(database.url, PLATFORM_ROLE)), lock)
        self.what = what
        self._pause = pause
        self._do = do

    async def run(self) -> None:
        await forever(self._once, self._pause, passing=(SQLAlchemyError, OSError), what=self.what)

    async def _once(self) -> None:
        if await self.leader.leads():
            await self._do()
