"""Make a database ready: roles, extension, schema. Safe to run by several processes at once."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql

from chatbot.core.errors import XinError
from chatbot.core.logging import get_logger
from chatbot.db.roles import APP_ROLE, PLATFORM_ROLE, conninfo, owner_url, role_password

log = get_logger(__name__)

HEAD = "0015"
"""The newest migration; a test holds it to Alembic's own head. Kept here so that a warm start need not load Alembic."""

OLDEST_READER = "0013"
"""Processes of releases from this schema on go on with HEAD's, for whatever came since was only added. A migration that
removes, renames or narrows something moves this up to itself (docs/adr/0014)."""

_LOCK = 0x58494E  # "XIN": one process prepares, the others wait
_READABLE = (
    f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {PLATFORM_ROLE}",
    f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {PLATFORM_ROLE}",
)
"""Backups are read as the platform role: it must see whatever a migration has made."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_SCHEMA = """
SELECT version_num, obj_description('public.alembic_version'::regclass, 'pg_class') FROM public.alembic_version
"""
_PROMISE = re.compile(r"oldest reader (\d+)")


class DatabaseNotUsable(XinError):
    """The database cannot be made ready; the message says what is missing."""


class _Schema(NamedTuple):
    """A database's revision, and the oldest one whose processes go on with it; None where there is none."""

    revision: str | None
    oldest_reader: str | None


def prepare_database(database_url: str, *, only_compatible: bool = False) -> bool:
    """Create what is missing and migrate to the newest schema; a newer one is left as it is.

    Args:
        only_compatible: change no schema in a way that processes which work on it now could not go on with.

    Returns:
        Whether the schema was changed.

    Raises:
        DatabaseNotUsable: no connection, no pgvector, too few rights; a newer schema that this release cannot read; or
            a change that `only_compatible` forbids.
    """
    try:
        with _preparing(database_url) as connection:
            schema = _schema(connection)
            if schema.revision is not None and not _is_known(schema.revision):
                _require_readable(schema)
                return False
            if schema.revision != HEAD:
                _require_allowed(schema, only_compatible=only_compatible)
                _extend(connection)
                upgrade(database_url)
                _complete(connection)
            _promise(connection, schema)
            return schema.revision != HEAD
    except psycopg.Error as error:
        raise DatabaseNotUsable(f"DATABASE_URL: {str(error).strip()}") from error


@contextmanager
def around_alembic(database_url: str) -> Iterator[None]:
    """What `alembic upgrade` in a shell needs around its migrations, so that it makes as much as a process does.

    Roles and the extension before them; afterwards what the newest schema gives to backups, and its promise to readers.
    """
    with _preparing(database_url) as connection:
        _extend(connection)
        yield
        if _schema(connection).revision == HEAD:
            _complete(connection)
            _promise(connection, _schema(connection))


@contextmanager
def _preparing(database_url: str) -> "Iterator[psycopg.Connection[tuple[object, ...]]]":
    """Connect as the owner, alone among those who prepare, with the roles that migrations give rights to."""
    with psycopg.connect(conninfo(owner_url(database_url)), autocommit=True, connect_timeout=10) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        ensure_roles(connection, database_url)
        yield connection


def _extend(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    connection.execute("CREATE EXTENSION IF NOT EXISTS vector")


def _complete(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    for statement in _READABLE:
        connection.execute(statement)


def require_answer(database_url: str) -> None:
    """Raise `DatabaseNotUsable` in words when the database does not answer its owner."""
    try:
        psycopg.connect(conninfo(owner_url(database_url)), connect_timeout=10).close()
    except psycopg.Error as error:
        raise DatabaseNotUsable(f"DATABASE_URL: {str(error).strip()}") from error


def create_bundled_database(superuser_url: str) -> None:
    """Create the `xin` database of a new bundled cluster."""
    url = owner_url(superuser_url)
    with psycopg.connect(conninfo(url.set(database="postgres")), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (url.database,)).fetchone()
        if not found:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(str(url.database))))


def upgrade(database_url: str, revision: str = "head") -> None:
    """Run Alembic up to a revision."""
    _alembic("upgrade", database_url, revision)


def downgrade(database_url: str, revision: str) -> None:
    """Run Alembic down to a revision."""
    _alembic("downgrade", database_url, revision)


def _alembic(command: str, database_url: str, revision: str) -> None:
    # Alembic is loaded only when there is something to migrate: it would cost every warm start 0.2 s.
    config = import_module("alembic.config").Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["database_url"] = database_url
    getattr(import_module("alembic.command"), command)(config, revision)


def _schema(connection: "psycopg.Connection[tuple[object, ...]]") -> _Schema:
    known = connection.execute("SELECT to_regclass('public.alembic_version')").fetchone()
    row = connection.execute(_SCHEMA).fetchone() if known and known[0] is not None else None
    if row is None:
        return _Schema(None, None)
    promise = _PROMISE.fullmatch(str(row[1]))
    return _Schema(str(row[0]), promise[1] if promise else None)


def _is_known(revision: str) -> bool:
    return any((_MIGRATIONS / "versions").glob(f"{revision}_*.py"))


def _require_readable(schema: _Schema) -> None:
    if schema.oldest_reader is None or schema.oldest_reader > HEAD:
        raise DatabaseNotUsable(
            f"the database's schema ({schema.revision}) is newer than this release; use a newer one"
        )
    log.warning("the database's schema is newer than this release, and made for it too", schema=schema.revision)


def _require_allowed(schema: _Schema, *, only_compatible: bool) -> None:
    if only_compatible and schema.revision is not None and schema.revision < OLDEST_READER:
        raise DatabaseNotUsable(
            f"MIGRATE_ONLY_COMPATIBLE: processes of schema {schema.revision} could not go on with the schema of this "
            f"release ({HEAD}); migrate by a plain upgrade"
        )


def _promise(connection: "psycopg.Connection[tuple[object, ...]]", before: _Schema) -> None:
    """Write down who may read this schema: a release that is older than it has no other way to know."""
    if before.oldest_reader != OLDEST_READER:
        words = sql.Literal(f"oldest reader {OLDEST_READER}")
        connection.execute(sql.SQL("COMMENT ON TABLE public.alembic_version IS {}").format(words))


def ensure_roles(connection: "psycopg.Connection[tuple[object, ...]]", database_url: str) -> None:
    """Create the application's two roles where they are missing, and give them their passwords."""
    for role in (APP_ROLE, PLATFORM_ROLE):
        name = sql.Identifier(role)
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS").format(name)
            )
        password = role_password(database_url, role)
        if password:
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(password)))
