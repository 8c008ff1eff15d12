"""A restore under an owner who is no superuser: what is not allowed is said beforehand, with what to do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from chatbot.cli.doctor import examine
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.db.bootstrap import prepare_database
from chatbot.db.dump import NotAllowed, check_allowed, row_counts
from chatbot.db.roles import PLATFORM_ROLE, conninfo, owner_url
from chatbot.ops.backup.create import create_backup
from chatbot.ops.backup.restore import restore_backup
from tests.conftest import TenantRows

Place = Callable[..., Settings]


class Server:
    """The module's server, as its superuser, and an owner with a database of its own."""

    def __init__(self, database_url: str) -> None:
        self.superuser = owner_url(database_url).set(database="postgres")
        self.owner = f"owner_{new_id().hex}"
        self.database = f"owned_{new_id().hex}"
        self.url = conninfo(self.superuser.set(database=self.database, username=self.owner))

    def run(self, statement: str, *names: str, database: str = "postgres") -> None:
        """Run a statement as the superuser; `{}` in it are names."""
        with psycopg.connect(conninfo(self.superuser.set(database=database)), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def databases(self) -> set[str]:
        """Return the names of the databases."""
        with psycopg.connect(conninfo(self.superuser)) as connection:
            return {name for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall()}


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    """An owner as docs/DEPLOY.md once asked for: no right to make databases, the extension made for it."""
    made = Server(database_url)
    before = made.databases()
    made.run("CREATE ROLE {} LOGIN CREATEROLE", made.owner)
    made.run("GRANT {} TO {} WITH ADMIN TRUE", PLATFORM_ROLE, made.owner)
    made.run("CREATE DATABASE {} OWNER {}", made.database, made.owner)
    made.run("CREATE EXTENSION vector", database=made.database)
    prepare_database(made.url)
    yield made
    for name in made.databases() - before:
        made.run("DROP DATABASE {} WITH (FORCE)", name)
    made.run("REVOKE {} FROM {} CASCADE", PLATFORM_ROLE, made.owner)
    made.run("DROP ROLE {}", made.owner)


@contextmanager
def _extension_in_every_new_database(server: Server) -> Iterator[None]:
    server.run("CREATE EXTENSION vector", database="template1")
    try:
        yield
    finally:
        server.run("DROP EXTENSION vector", database="template1")


async def test_an_owner_who_may_do_it_restores(
    place: Place, database_url: str, taught: TenantRows, server: Server
) -> None:
    backup = await create_backup(place("source"), database_url)
    server.run("ALTER ROLE {} CREATEDB", server.owner)
    with _extension_in_every_new_database(server):
        restored = await restore_backup(place("target"), server.url, backup.file)
    assert row_counts(server.url) == backup.manifest.tables
    assert restored.kept == [f"database {name}" for name in server.databases() if name.startswith("xin_before_")]


async def test_an_owner_who_may_not_is_told_before_anything_is_touched(
    place: Place, database_url: str, taught: TenantRows, server: Server
) -> None:
    backup = await create_backup(place("source"), database_url)
    names = server.databases()
    with pytest.raises(NotAllowed, match=f"ALTER ROLE {server.owner} CREATEDB"):
        await restore_backup(place("target"), server.url, backup.file)
    server.run("ALTER ROLE {} CREATEDB", server.owner)
    with pytest.raises(NotAllowed, match="CREATE EXTENSION vector in template1"):
        await restore_backup(place("target"), server.url, backup.file)
    assert server.databases() == names
    assert row_counts(server.url)["tenants"] == 0


def test_a_database_of_somebody_else_is_named(server: Server) -> None:
    server.run("ALTER ROLE {} CREATEDB", server.owner)
    server.run("ALTER DATABASE {} OWNER TO CURRENT_USER", server.database)
    with pytest.raises(NotAllowed, match=f"ALTER DATABASE {server.database} OWNER TO {server.owner}"):
        check_allowed(server.url)


async def test_the_doctor_says_so(
    place: Place, server: Server, capsys: pytest.CaptureFixture[str], unused_tcp_port: int
) -> None:
    settings = place("target", database_url=SecretStr(server.url), embedder="none", orchestrator_port=unused_tcp_port)
    assert not await examine(settings)
    assert "wrong restore: " in (said := capsys.readouterr().out)
    assert f"ALTER ROLE {server.owner} CREATEDB" in said
    server.run("ALTER ROLE {} CREATEDB", server.owner)
    with _extension_in_every_new_database(server):
        await examine(settings)
    assert "ok    restore: " in capsys.readouterr().out
