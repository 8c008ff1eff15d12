"""Counts the statements that a piece of work sends to PostgreSQL, whichever way it sends them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from chatbot.db.driver import Command, Driver


@dataclass
class Sent:
    """The statements, in their order; one that is sent for many rows stands there as often."""

    statements: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.statements)

    def saying(self, *words: str) -> list[str]:
        """Return those that hold all of the words."""
        return [statement for statement in self.statements if all(word in statement for word in words)]


@contextmanager
def sent() -> Iterator[Sent]:
    """Note what is sent while the block runs, by SQLAlchemy, by the driver's own way and by the queue."""
    noted = Sent()
    run, execute, many = Driver.run, psycopg.AsyncCursor.execute, psycopg.AsyncCursor.executemany

    async def _run(self: Driver, commands: Sequence[Command]) -> Any:
        noted.statements += [command.statement for command in commands]
        return await run(self, commands)

    async def _execute(self: Any, query: Any, *values: Any, **options: Any) -> Any:
        noted.statements.append(str(query))
        return await execute(self, query, *values, **options)

    async def _many(self: Any, query: Any, rows: Any, **options: Any) -> Any:
        rows = list(rows)
        noted.statements += [str(query)] * len(rows)
        return await many(self, query, rows, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Driver, "run", _run)
        patched.setattr(psycopg.AsyncCursor, "execute", _execute)
        patched.setattr(psycopg.AsyncCursor, "executemany", _many)
        yield noted
