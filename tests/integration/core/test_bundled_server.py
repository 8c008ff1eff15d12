"""The bundled PostgreSQL starts, is shared, stops with its last user, and survives a crash of the platform."""

import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine

from chatbot.db.bootstrap import HEAD, DatabaseNotUsable, downgrade, prepare_database, upgrade
from chatbot.db.models import Base
from chatbot.db.roles import conninfo, owner_url
from chatbot.db.server import BundledPostgres

HOLD = """
import sys
from pathlib import Path
from chatbot.db.server import BundledPostgres
server = BundledPostgres(Path(sys.argv[1]))
server.start()
print("up", flush=True)
sys.stdin.read()
"""


def _answers(server: BundledPostgres) -> bool:
    try:
        with psycopg.connect(conninfo(owner_url(server.url).set(database="postgres")), connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


def test_two_users_share_and_the_last_one_stops_it(data_dir: Path) -> None:
    first, second = BundledPostgres(data_dir), BundledPostgres(data_dir)
    first.start()
    second.start()
    first.stop()
    assert _answers(second)
    second.stop()
    assert not _answers(second)


def test_a_crash_leaves_nothing_that_blocks_the_next_start(data_dir: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert "up\n" in process.stdout
    process.kill()
    process.wait()
    process.stdout.close()
    assert process.stdin is not None
    process.stdin.close()
    server = BundledPostgres(data_dir)
    server.start()
    assert _answers(server)
    server.stop()
    assert not _answers(server)


def test_the_keeper_stops_a_server_whose_users_were_killed(data_dir: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert "up\n" in process.stdout
    server = BundledPostgres(data_dir)
    assert _answers(server)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 15
    while _answers(server) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _answers(server)


def test_migrations_go_up_down_and_up_again(database_url: str) -> None:
    assert prepare_database(database_url) is False
    downgrade(database_url, "base")
    with psycopg.connect(database_url) as connection:
        left = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        ).fetchall()
        assert [name for (name,) in left] == ["alembic_version"]
    upgrade(database_url)
    assert prepare_database(database_url) is False


def test_a_database_of_a_newer_release_is_refused_in_words(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseNotUsable, match="newer than this release"):
        prepare_database(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", (HEAD,))


def test_an_unreachable_database_is_named(data_dir: Path) -> None:
    with pytest.raises(Exception, match="DATABASE_URL"):
        prepare_database(f"postgresql://nobody:secret-word@/none?host={data_dir}")


def test_head_is_alembics_own() -> None:

    config = Config()
    config.set_main_option("script_location", "chatbot/db/migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_models_and_migrations_do_not_differ(database_url: str) -> None:

    def ours(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
        """The queue's tables are procrastinate's; HNSW indexes are made by `db/search.py`: models cannot say them."""
        if kind == "index":
            return not str(name).startswith("ix_passage_vectors_hnsw_")
        return not (kind == "table" and str(name).startswith("procrastinate_"))

    engine = create_engine(owner_url(database_url), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": ours})
        assert compare_metadata(context, Base.metadata) == []
