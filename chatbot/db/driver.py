"""The driver without cursors: every statement prepared once a connection, several of them in one round trip.

A cursor costs more CPU than most statements of a turn, and each round trip wakes this process and PostgreSQL's.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, LiteralString, NamedTuple

import orjson
from psycopg import AsyncConnection
from psycopg.abc import Buffer, PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import OperationalError, ProgrammingError, error_from_result
from psycopg.generators import execute, fetch_many, send
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult
from psycopg.types.json import set_json_loads

Values = Mapping[str, Any] | Sequence[Any]
Rows = list[tuple[Any, ...]]

_PLACEHOLDER = re.compile(r"%(?:(%)|s|\((\w+)\)s)")
_MOST_PREPARED = 250
"""Statements kept prepared on a connection: those of the code, times the types that their values come in."""

_STALE = ("26000", "0A000")
"""Not prepared (any more), or the tables have changed since: prepared anew at its next use."""


_GOOD = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
_LOST = "the connection was lost before the answer came"


class Command(NamedTuple):
    """A statement with `%s` or `%(name)s` in it, and their values."""

    statement: LiteralString
    values: Values = ()


class _Key(NamedTuple):
    """What is prepared: a statement for values of these types."""

    text: bytes
    types: tuple[int, ...]


class _Queued(NamedTuple):
    """A command as PostgreSQL takes it; `name` is that of the prepared statement, empty where there is none."""

    key: _Key
    values: Sequence[Buffer | None]
    formats: Sequence[Format]
    name: bytes
    fresh: bool


class Driver(AsyncConnection[Any]):
    """A connection of psycopg's that also runs commands without cursors."""

    def __init__(self, pgconn: PGconn, *arguments: Any, **options: Any) -> None:
        super().__init__(pgconn, *arguments, **options)
        set_json_loads(orjson.loads, self)
        self._adapter = Transformer.from_context(self)
        self._ours: dict[_Key, bytes] = {}
        self._numbers = count()

    async def run(self, commands: Sequence[Command]) -> list[Rows]:
        """Run commands one after the other, in one round trip; each gives its rows, none where it has none.

        Raises:
            psycopg.Error: of the first that failed; those after it were not run.
        """
        queue = [self._queued(*command) for command in commands]
        alone = len(queue) == 1 and not queue[0].fresh
        async with self.lock:
            results = await self.wait(self._alone(*queue) if alone else self._together(queue))
        if len(results) < len(queue) and all(result.status in _GOOD for result in results):
            raise OperationalError(_LOST)
        return [self._rows(one, result) for one, result in zip(queue, results, strict=False)]

    def _queued(self, statement: LiteralString, values: Values) -> _Queued:
        text, names = _numbered(statement)
        given = [values[name] for name in names] if isinstance(values, Mapping) else values
        if len(given) != len(names):
            raise ProgrammingError(f"{len(names)} values are wanted, {len(given)} are given")
        adapter = self._adapter
        dumped = adapter.dump_sequence(given, [PyFormat.AUTO] * len(given))
        key = _Key(text, adapter.types or ())
        formats = adapter.formats or ()
        if name := self._ours.get(key):
            return _Queued(key, dumped, formats, name, fresh=False)
        fresh = len(self._ours) < _MOST_PREPARED
        return _Queued(key, dumped, formats, b"xin_%d" % next(self._numbers) if fresh else b"", fresh)

    def _alone(self, one: _Queued) -> PQGen[list[PGresult]]:
        self._send(one)
        results: list[PGresult] = yield from execute(self.pgconn)
        return results[:1]  # the server's last words may be followed by the loss of the connection

    def _together(self, queue: Sequence[_Queued]) -> PQGen[list[PGresult]]:
        connection = self.pgconn
        connection.enter_pipeline_mode()
        try:
            for one in queue:
                self._send(one)
            connection.pipeline_sync()
            yield from send(connection)
            results: list[PGresult] = []
            for one in queue:
                prepared = (yield from fetch_many(connection)) if one.fresh else []
                ran = yield from fetch_many(connection)
                results += (self._refused(one, prepared) or ran)[:1]
            yield from fetch_many(connection)  # the answer to the sync
        finally:
            if connection.status == ConnStatus.OK:
                connection.exit_pipeline_mode()
        return results

    def _send(self, one: _Queued) -> None:
        connection = self.pgconn
        if not one.name:
            connection.send_query_params(one.key.text, one.values, one.key.types, one.formats, Format.BINARY)
            return
        if one.fresh:
            connection.send_prepare(one.name, one.key.text, one.key.types)
        connection.send_query_prepared(one.name, one.values, one.formats, Format.BINARY)

    def _refused(self, one: _Queued, prepared: Sequence[PGresult]) -> list[PGresult]:
        """Note that a command is prepared; return why it is not: what comes in its place says only that it is not."""
        if prepared and prepared[0].status == ExecStatus.COMMAND_OK:
            self._ours[one.key] = one.name
            return []
        return [*prepared]

    def _rows(self, one: _Queued, result: PGresult) -> Rows:
        if result.status == ExecStatus.TUPLES_OK:
            self._adapter.set_pgresult(result)
            return self._adapter.load_rows(0, result.ntuples, tuple)
        if result.status == ExecStatus.COMMAND_OK:
            return []
        error = error_from_result(result, self.info.encoding)
        if result.status == ExecStatus.FATAL_ERROR and not result.error_field(DiagnosticField.SQLSTATE):
            raise OperationalError(str(error))  # the library's words, not the server's: the connection is lost
        if error.sqlstate in _STALE:
            self._ours.pop(one.key, None)
        raise error

    def _deallocate(self, name: bytes | None) -> PQGen[None]:
        """As psycopg's, which forgets all that is prepared, ours too, after a rollback of its own."""
        if name is None:
            self._ours.clear()
        return super()._deallocate(name)


@lru_cache(512)
def _numbered(statement: LiteralString) -> tuple[bytes, tuple[str, ...]]:
    """Number a statement's placeholders as PostgreSQL does; return their names in that order (a number where none)."""
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        percent, name = found.groups()
        if percent:
            return "%"
        return f"${numbers.setdefault(name or str(len(numbers)), len(numbers) + 1)}"

    text = _PLACEHOLDER.sub(number, statement).encode()
    return text, tuple(numbers)
