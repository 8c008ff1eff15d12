"""Make a database ready: roles, extension, schema. Safe to run by several processes at once."""

from importlib import import_module
from pathlib import Path

import psycopg
from psycopg import sql

from chatbot.core.errors import XinError
from chatbot.core.logging import get_logger
from chatbot.db.roles import APP_ROLE, PLATFORM_ROLE, conninfo, owner_url, role_password

log = get_logger(__name__)

HEAD = "0002"
"""The newest migration; a test holds it to Alembic's own head. Kept here so that a warm start need not load Alembic."""

_LOCK = 0x58494E  # "XIN": one process prepares, the others wait
_MIGRATIONS = Path(__file__).parent / "migrations"


class DatabaseNotUsable(XinError):
    """The database cannot be made ready; the message says what is missing."""


def prepare_database(database_url: str) -> bool:
    """Create what is missing and migrate to the newest schema.

    Returns:
        Whether the schema was changed.

    Raises:
        DatabaseNotUsable: no connection, no pgvector, or too few rights.
    """
    try:
        with psycopg.connect(conninfo(owner_url(database_url)), autocommit=True, connect_timeout=10) as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            _ensure_roles(connection, database_url)
            revision = _revision(connection)
            if revision == HEAD:
                return False
            if revision is not None and not list((_MIGRATIONS / "versions").glob(f"{revision}_*.py")):
                raise DatabaseNotUsable(
                    f"the database's schema ({revision}) is newer than this release; use a newer one"
                )
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
            upgrade(database_url)
            return True
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


def _revision(connection: "psycopg.Connection[tuple[object, ...]]") -> str | None:
    known = connection.execute("SELECT to_regclass('public.alembic_version')").fetchone()
    if not known or known[0] is None:
        return None
    row = connection.execute("SELECT version_num FROM public.alembic_version").fetchone()
    return str(row[0]) if row else None


def _ensure_roles(connection: "psycopg.Connection[tuple[object, ...]]", database_url: str) -> None:
    for role in (APP_ROLE, PLATFORM_ROLE):
        name = sql.Identifier(role)
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS").format(name)
            )
        password = role_password(database_url, role)
        if password:
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(password)))
