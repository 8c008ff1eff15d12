"""The bundled PostgreSQL starts, is shared, stops with its last user, and survives a crash of the platform."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import NullPool, create_engine

from chatbot.db.bootstrap import (
    HEAD,
    OLDEST_READER,
    DatabaseNotUsable,
    create_bundled_database,
    downgrade,
    prepare_database,
    upgrade,
)
from chatbot.db.models import Base
from chatbot.db.roles import conninfo, owner_url
from chatbot.db.server import BundledPostgres, DatabaseStartFailed

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


def _postmaster(server: BundledPostgres) -> int:
    """The process of a server; 0 while there is none."""
    try:
        return int((server.pgdata / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError):
        return 0


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


@pytest.mark.parametrize("name", ["somebody", "postgres"])
def test_a_dead_servers_number_may_have_gone_to_another_process(data_dir: Path, name: str) -> None:
    """As after a power failure: its file names a living process of the same user, which may be another cluster's."""
    server = BundledPostgres(data_dir)
    server.start()
    file = server.pgdata / "postmaster.pid"
    said, owner = file.read_text(), server.pgdata.stat()
    server.stop()
    program = data_dir / "elsewhere" / name
    program.parent.mkdir()
    shutil.copy(shutil.which("sleep") or "", program)
    as_owner: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    with subprocess.Popen([program, "60"], cwd="/", **as_owner) as stranger:
        try:
            file.write_text(re.sub(r"^\d+", str(stranger.pid), said))
            os.chown(file, owner.st_uid, owner.st_gid)
            server.start()
            assert _answers(server)
            os.kill(int(file.read_text().split()[0]), signal.SIGKILL)
            file.write_text(re.sub(r"^\d+", str(stranger.pid), said))
            server.stop()
            assert stranger.poll() is None, "it is nobody's to stop"
        finally:
            stranger.kill()


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
    deadline = time.monotonic() + 60
    while _answers(server) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _answers(server)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "stopped by somebody"])
def test_a_server_that_is_gone_is_started_again(data_dir: Path, number: signal.Signals) -> None:
    server = BundledPostgres(data_dir)
    server.start()
    with server.looked_after():
        gone = _postmaster(server)
        os.kill(gone, number)
        deadline = time.monotonic() + 90
        while not (_answers(server) and _postmaster(server) != gone) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert _answers(server)
        assert _postmaster(server) != gone
    server.stop()
    assert not _answers(server)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_root_is_told_to_work_as_the_folders_user(data_dir: Path) -> None:
    os.chown(data_dir, pwd.getpwnam("nobody").pw_uid, -1)
    with pytest.raises(DatabaseStartFailed, match="belongs to the user nobody; run this as that user"):
        BundledPostgres(data_dir).start()
    assert list(data_dir.iterdir()) == []


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


def _rights(connection: "psycopg.Connection[tuple[object, ...]]") -> dict[str, object]:
    """What a database's schema is worth to the application's roles, and what it promises to older releases."""
    tables = "FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')"
    promise = "SELECT obj_description('public.alembic_version'::regclass, 'pg_class')"
    return {
        "tables": sorted(connection.execute(f"SELECT relname, relacl::text {tables}").fetchall()),
        "roles": connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'xin\\_%' ORDER BY 1").fetchall(),
        "promise": connection.execute(promise).fetchone(),
    }


def test_alembic_in_a_shell_makes_all_that_a_process_makes(data_dir: Path, postgres: BundledPostgres) -> None:
    """On a server that has never seen the platform: no roles, no database of its own preparing."""
    server = BundledPostgres(data_dir)
    server.start()
    create_bundled_database(server.url)
    command = [str(Path(sys.executable).with_name("alembic")), "upgrade", "head"]
    environment = {**os.environ, "DATABASE_URL": server.url}
    for _ in range(2):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
    by_process = conninfo(owner_url(postgres.url))
    with psycopg.connect(conninfo(owner_url(server.url))) as plain, psycopg.connect(by_process) as prepared:
        assert _rights(plain) == _rights(prepared)
    assert prepare_database(server.url) is False
    server.stop()


def test_asking_alembic_changes_nothing(data_dir: Path) -> None:
    server = BundledPostgres(data_dir)
    server.start()
    create_bundled_database(server.url)
    command = [str(Path(sys.executable).with_name("alembic")), "current"]
    environment = {**os.environ, "DATABASE_URL": server.url}
    subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=300)
    with psycopg.connect(conninfo(owner_url(server.url))) as connection:
        assert connection.execute("SELECT 1 FROM pg_roles WHERE rolname LIKE 'xin\\_%'").fetchone() is None
    server.stop()


@pytest.fixture
def newer(database_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A database that a release to come has migrated; in the end it is this one's again."""
    with psycopg.connect(conninfo(owner_url(database_url)), autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        yield connection
        connection.execute("UPDATE alembic_version SET version_num = %s", (HEAD,))
    prepare_database(database_url)


@pytest.mark.parametrize("promise", [None, "oldest reader 9999", "something else"])
def test_a_newer_schema_that_is_not_for_this_release_is_refused_in_words(
    database_url: str, newer: psycopg.Connection[tuple[object, ...]], promise: str | None
) -> None:
    newer.execute(sql.SQL("COMMENT ON TABLE alembic_version IS {}").format(sql.Literal(promise)))
    with pytest.raises(DatabaseNotUsable, match="newer than this release"):
        prepare_database(database_url)


def test_a_newer_schema_that_only_added_is_worked_with_and_left_alone(
    database_url: str, newer: psycopg.Connection[tuple[object, ...]]
) -> None:
    newer.execute(sql.SQL("COMMENT ON TABLE alembic_version IS {}").format(sql.Literal(f"oldest reader {HEAD}")))
    newer.execute("CREATE TABLE of_a_release_to_come ()")
    assert prepare_database(database_url) is False
    assert newer.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)
    newer.execute("DROP TABLE of_a_release_to_come")


def test_a_canary_makes_no_change_that_others_could_not_go_on_with(database_url: str) -> None:
    downgrade(database_url, "0012")
    with pytest.raises(DatabaseNotUsable, match="MIGRATE_ONLY_COMPATIBLE: processes of schema 0012"):
        prepare_database(database_url, only_compatible=True)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0012",)
    assert prepare_database(database_url) is True
    assert prepare_database(database_url, only_compatible=True) is False


def test_the_oldest_reader_is_a_schema_of_ours() -> None:
    assert OLDEST_READER <= HEAD
    assert list(Path("chatbot/db/migrations/versions").glob(f"{OLDEST_READER}_*.py"))


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
