"""A consistent dump of the database and its restoration, by PostgreSQL's own programs.

Rows, counts and keys of files are read through one exported snapshot, so they agree while traffic goes on. Row-level
security is FORCED on every table: an owner that is no superuser would dump nothing at all, without an error. So a
reader is used that sees every row: a superuser as it is, else the role of platform work.
"""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL

from chatbot.core.errors import XinError
from chatbot.core.ids import new_id
from chatbot.db.bootstrap import ensure_roles
from chatbot.db.roles import PLATFORM_ROLE, conninfo, owner_url, role_url
from chatbot.db.search import handed_over
from chatbot.db.server import binaries, every_binaries

Connection = psycopg.Connection[tuple[Any, ...]]

_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY c.relname
"""
_SEES_ALL = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = %s AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_FILE_KEYS = """
SELECT blob_key FROM knowledge_sources WHERE blob_key IS NOT NULL
UNION SELECT blob_key FROM attachments WHERE blob_key IS NOT NULL AND status = 'stored'
UNION SELECT file->>'blob_key' FROM ticket_comments, jsonb_array_elements(files) AS file
"""
_OWNS = "SELECT pg_has_role(current_user, datdba, 'USAGE') FROM pg_database WHERE datname = %s"
_HANDED_OVER = "SELECT oid::regprocedure::text FROM pg_proc WHERE proowner = %s::regrole ORDER BY 1"
# Readers of the event log go by the numbers of transactions, which every server counts for itself. What stands in a log
# that comes from another one is numbered anew, from 1: by how many readers have not come so far, so that each reader's
# place still parts what it has read from what it has not.
_AHEAD = """
SELECT greatest((SELECT coalesce(max(txid), 0) FROM events), (SELECT coalesce(max(txid), 0) FROM log_cursors))
       >= pg_current_xact_id()::text::bigint
"""
_RENUMBER = """
WITH moved AS (
    UPDATE events e SET txid = 1 + (SELECT count(*) FROM log_cursors c
        WHERE c.tenant_id = e.tenant_id AND (c.txid, c.event_id) < (e.txid, e.id))
)
UPDATE log_cursors r SET event_id = 9223372036854775807, txid = 1 + (SELECT count(*) FROM log_cursors c
    WHERE c.tenant_id = r.tenant_id AND (c.txid, c.event_id) < (r.txid, r.event_id))
"""
_LOADED = ("--command=CREATE EXTENSION IF NOT EXISTS vector", "--command=SELECT '[1]'::vector")
_GUARD = " ROW SECURITY "
_LAST_LINES = 3
_LINGERING_SECONDS = 2.0


class DumpFailed(XinError):
    """PostgreSQL's program did not do it; the message holds its last lines."""


class DatabaseInUse(XinError):
    """Somebody is connected to a database that is to be replaced."""


class NotAllowed(XinError):
    """The owner in `DATABASE_URL` may not do what a restore needs."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one moment of the database holds.

    `tables`: rows of every table; `functions`: those that run as the platform role, which a restored database must
    hand over again; `file_keys`: the files that rows name.
    """

    name: str
    revision: str
    server: str
    tables: dict[str, int]
    functions: list[str]
    file_keys: frozenset[str]


@contextmanager
def snapshot(database_url: str) -> Iterator[Snapshot]:
    """Hold one moment of the database while the block runs, and say what is in it."""
    with psycopg.connect(conninfo(reader_url(database_url)), autocommit=True) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield Snapshot(
            name=_one(connection, "SELECT pg_export_snapshot()"),
            revision=_one(connection, "SELECT version_num FROM alembic_version"),
            server=_one(connection, "SHOW server_version"),
            tables=_counts(connection),
            functions=[row[0] for row in connection.execute(_HANDED_OVER, (PLATFORM_ROLE,))],
            file_keys=frozenset(row[0] for row in connection.execute(_FILE_KEYS)),
        )


def row_counts(database_url: str) -> dict[str, int]:
    """Count the rows of every table."""
    with psycopg.connect(conninfo(reader_url(database_url))) as connection:
        return _counts(connection)


async def dump(database_url: str, moment: Snapshot, into: Path) -> None:
    """Write a moment of the database into a file of `pg_dump -Fc`.

    Raises:
        DumpFailed: with what `pg_dump` said.
    """
    reader = reader_url(database_url)
    as_platform = ["--enable-row-security"] if reader.username == PLATFORM_ROLE else []
    await _run(
        "pg_dump", reader, "-Fc", f"--snapshot={moment.name}", *as_platform, f"--file={into}", server=moment.server
    )


async def restore(database_url: str, file: Path, functions: list[str], *, jobs: int = 2) -> None:
    """Fill an empty database from a dump; what `pg_restore` complains of ends it.

    Args:
        functions: those that the platform role owned. Restored as the owner's, who may be a superuser, they would
            see every tenant's rows.

    Raises:
        DumpFailed: with what `pg_restore` said.
    """
    owner = owner_url(database_url)
    with psycopg.connect(conninfo(owner), autocommit=True) as connection:
        ensure_roles(connection, database_url)
        server = _one(connection, "SHOW server_version")
    await _fill(owner, file, server, jobs)
    with psycopg.connect(conninfo(owner)) as connection:
        for statement in handed_over(functions, ()):
            connection.execute(statement.encode())


async def _fill(owner: URL, file: Path, server: str, jobs: int) -> None:
    """Restore in three steps, each of which an owner who is no superuser may do.

    A function that sets `hnsw.…` is made by nobody else where the session has not loaded the extension. And foreign
    keys are compared under row-level security, which is FORCED on the owner and is therefore enabled last.
    """
    exact = ["--no-owner", "--no-comments", "--exit-on-error", str(file)]
    script, first, last = (file.with_name(f"{file.name}.{part}") for part in ("sql", "first", "last"))
    await _execute([program("pg_restore", server), "--section=pre-data", f"--file={script}", *exact], {})
    await _run("psql", owner, "--no-psqlrc", "--set=ON_ERROR_STOP=1", *_LOADED, f"--file={script}", server=server)
    await _execute([program("pg_restore", server), "--list", f"--file={first}", str(file)], {})
    contents = first.read_text().splitlines(keepends=True)
    first.write_text("".join(line for line in contents if _GUARD not in line))
    last.write_text("".join(line for line in contents if _GUARD in line))
    filling = ["--section=data", "--section=post-data", f"--jobs={jobs}"]
    await _run("pg_restore", owner, *filling, f"--use-list={first}", *exact, server=server)
    await _run("pg_restore", owner, f"--use-list={last}", *exact, server=server)


def number_log_anew(database_url: str) -> bool:
    """Number the event log so that what happens from now on stands behind what a restored log holds.

    Returns:
        Whether it was needed: not where the log comes from this very server.
    """
    with psycopg.connect(conninfo(reader_url(database_url))) as connection:
        ahead = _one(connection, _AHEAD) == "True"
        if ahead:
            connection.execute(_RENUMBER)
    return ahead


def create_beside(database_url: str, name: str) -> str:
    """Create an empty database beside the one of the address, and return its address."""
    with _maintenance(database_url) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return conninfo(owner_url(database_url).set(database=name))


@contextmanager
def put_in_place(database_url: str, restored_url: str, aside: str) -> Iterator[bool]:
    """Let a restored database have the name that the platform uses while the block goes well, else names are as before.

    Yields:
        Whether there was something before; then it is kept, as `aside`.

    Raises:
        DatabaseInUse: a process is connected to one of them, and nothing was changed; or to the restored one when it
            was to be taken back, and what was there before is still `aside`.
    """
    name, restored = str(owner_url(database_url).database), str(owner_url(restored_url).database)
    held = _has_tables(database_url)
    try:
        _rename(database_url, (name, aside), (restored, name))
        yield held
    except BaseException as error:
        try:
            if _is_there(database_url, aside):
                _rename(database_url, (name, restored), (aside, name))
        except DatabaseInUse as in_use:
            raise DatabaseInUse(f"{error}; what was there before is the database {aside}: {in_use}") from error
        raise
    if not held:
        drop(conninfo(owner_url(database_url).set(database=aside)))


def _is_there(database_url: str, name: str) -> bool:
    with _maintenance(database_url) as connection:
        return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None


def _rename(database_url: str, *names: tuple[str, str]) -> None:
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    with _maintenance(database_url) as connection:
        for old, _ in names:
            _refuse_in_use(connection, old)
        with connection.transaction():  # never a moment, nor a crash, that leaves no database of the platform's name
            for old, new in names:
                connection.execute(rename.format(sql.Identifier(old), sql.Identifier(new)))


def drop(database_url: str) -> None:
    """Drop a database, whoever is connected to it."""
    with _maintenance(database_url) as connection:
        name = sql.Identifier(str(owner_url(database_url).database))
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def check_unused(database_url: str) -> None:
    """Raise `DatabaseInUse` when a process is connected."""
    with _maintenance(database_url) as connection:
        _refuse_in_use(connection, str(owner_url(database_url).database))


def check_allowed(database_url: str) -> None:
    """Try what a restore needs, but for the rows: a new database with the extension, which is dropped again.

    Raises:
        NotAllowed: it would fail, and what to do.
    """
    owner = owner_url(database_url)
    with _maintenance(database_url) as connection:
        if _one(connection, _OWNS, owner.database) != "True":
            raise NotAllowed(
                f"DATABASE_URL: the database {owner.database} is not {owner.username}'s, who could not rename it in a "
                f"restore: ALTER DATABASE {owner.database} OWNER TO {owner.username}"
            )
    trial = create_beside(database_url, f"xin_trial_{new_id().hex}")
    try:
        with psycopg.connect(trial, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotAllowed(
            f"DATABASE_URL: {owner.username} may not give a new database the extension vector, as a restore must: let "
            "a superuser say CREATE EXTENSION vector in template1"
        ) from error
    finally:
        drop(trial)


def _refuse_in_use(connection: Connection, name: str) -> None:
    """Raise `DatabaseInUse` when somebody stays connected to a database of this name; one who just left may linger."""
    until = time.monotonic() + _LINGERING_SECONDS
    while int(others := _one(connection, _OTHERS, name)) and time.monotonic() < until:
        time.sleep(0.05)
    if int(others):
        raise DatabaseInUse(f"{others} connections are open to the database {name}: stop the platform first")


def _has_tables(database_url: str) -> bool:
    with psycopg.connect(conninfo(owner_url(database_url))) as connection:
        return connection.execute(_TABLES).fetchone() is not None


def _counts(connection: Connection) -> dict[str, int]:
    names = [row[0] for row in connection.execute(_TABLES).fetchall()]
    return {
        name: int(_one(connection, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("public", name))))
        for name in names
    }


def _one(connection: Connection, statement: Any, *values: object) -> str:
    row = connection.execute(statement, values or None).fetchone()
    assert row is not None, "a row is always given"
    return str(row[0])


def reader_url(database_url: str) -> URL:
    """Return the address of a role that sees every row."""
    owner = owner_url(database_url)
    with psycopg.connect(conninfo(owner)) as connection:
        sees_all = _one(connection, _SEES_ALL) == "True"
    return owner if sees_all else role_url(database_url, PLATFORM_ROLE)


@contextmanager
def _maintenance(database_url: str) -> Iterator[Connection]:
    """A connection to another database of the server: one cannot be renamed from within. Refusals are told in words."""
    url = owner_url(database_url)
    other = "postgres" if url.database != "postgres" else "template1"
    try:
        with psycopg.connect(conninfo(url.set(database=other)), autocommit=True) as connection:
            yield connection
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotAllowed(
            f"DATABASE_URL: {_first_line(error)}; a restore needs an owner who may create databases: ALTER ROLE "
            f"{url.username} CREATEDB"
        ) from error
    except psycopg.Error as error:
        raise DumpFailed(f"DATABASE_URL: {_first_line(error)}") from error


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().split("\n", 1)[0] or type(error).__name__


async def _run(name: str, url: URL, *arguments: str, server: str | None = None) -> None:
    password = {"PGPASSWORD": url.password} if url.password else {}
    address = conninfo(url.set(password=None))
    await _execute([program(name, server), f"--dbname={address}", "--no-password", *arguments], password)


def program(name: str, server: str | None = None) -> str:
    """The program for a release of the server: the oldest that comes along and is not older, else the machine's own.

    A newer `pg_restore` tells an older server of settings that it does not know.
    """
    if server is None:
        return str(binaries() / name)
    fitting = [folder for folder in every_binaries() if _major(folder) >= int(server.split(".", 1)[0])]
    return str(fitting[0] / name) if fitting else shutil.which(name) or str(binaries() / name)


@cache
def _major(folder: Path) -> int:
    said = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    return int(said.split()[2].split(".", 1)[0])


async def _execute(command: list[str], environment: dict[str, str]) -> None:
    """Run a program to its end; whoever is cancelled meanwhile ends it, and waits until it has written its last."""
    process = await asyncio.create_subprocess_exec(
        *command, env={"LC_ALL": "C", **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        _, said = await process.communicate()
    except BaseException:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        raise
    if process.returncode != 0:
        last = " | ".join(said.decode(errors="replace").strip().splitlines()[-_LAST_LINES:])
        raise DumpFailed(f"{Path(command[0]).name} failed: {last}")
