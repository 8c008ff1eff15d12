"""A backup that is stopped or killed: what it leaves, and who removes it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from chatbot.core.settings import Settings
from chatbot.db.roles import conninfo, owner_url
from chatbot.ops.backup.create import create_backup
from chatbot.ops.backup.workplace import whole_or_not, working_in
from tests.conftest import TenantRows

Place = Callable[..., Settings]
ROOT = Path(__file__).parents[3]
_DUMPING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_dump'"


@asynccontextmanager
async def _held_up(settings: Settings, database_url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A backup in a process of its own whose `pg_dump` waits for a table that somebody holds."""
    address = conninfo(owner_url(database_url))
    with psycopg.connect(address, autocommit=True) as holder, psycopg.connect(address) as locked:
        holder.execute("CREATE SCHEMA held CREATE TABLE waited_for (id int)")
        try:
            locked.execute("LOCK TABLE held.waited_for IN ACCESS EXCLUSIVE MODE")
            process = await _create_apart(settings, database_url)
            while _count(holder, _DUMPING) == 0 or not list(settings.backup_folder.glob(".dump-*")):
                assert process.returncode is None
                await asyncio.sleep(0.05)
            yield process
            for _ in range(100):
                if _count(holder, _DUMPING) == 0:
                    break
                await asyncio.sleep(0.1)
        finally:
            locked.rollback()
            holder.execute("DROP SCHEMA held CASCADE")


def _count(connection: "psycopg.Connection[tuple[object, ...]]", question: str) -> int:
    row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return int(str(row[0]))


async def _create_apart(settings: Settings, database_url: str) -> asyncio.subprocess.Process:
    assert settings.xin_encryption_keys is not None
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chatbot", "backup", "create", cwd=ROOT,
        env={
            **os.environ, "DATABASE_URL": database_url, "XIN_DATA_DIR": str(settings.data_dir),
            "BACKUP_DIR": str(settings.backup_folder),
            "XIN_ENCRYPTION_KEYS": settings.xin_encryption_keys.get_secret_value(),
        },
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_backup_that_is_stopped_leaves_nothing(
    place: Place, database_url: str, tenant: TenantRows, number: signal.Signals
) -> None:
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip(f"{number.name} is ignored here, as under `nohup`, and so by all that these tests start")
    settings = place("source")
    async with _held_up(settings, database_url) as process:
        process.send_signal(number)
        assert await asyncio.wait_for(process.wait(), 60) != 0
        assert list(settings.backup_folder.iterdir()) == []
        with psycopg.connect(conninfo(owner_url(database_url))) as connection:
            assert _count(connection, _DUMPING) == 0  # it does not dump on for nobody


async def test_what_a_killed_backup_leaves_the_next_one_removes(
    place: Place, database_url: str, tenant: TenantRows
) -> None:
    settings = place("source")
    async with _held_up(settings, database_url) as process:
        process.kill()
        await process.wait()
        assert {path.name[:6] for path in settings.backup_folder.iterdir()} == {".dump-", ".xin-b"}
    backup = await create_backup(settings, database_url)
    assert [path.name for path in settings.backup_folder.iterdir()] == [backup.file.name]


def test_nobody_removes_what_another_is_at_work_on(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    with working_in(folder):
        for name in (".restoring-x", ".rehearsing-x"):
            (folder / name).mkdir()
            (folder / name / "rows").touch()
        (folder / ".xin-backup-20250110T120000Z.tar.gz.part").touch()
        (folder / "xin-backup-20250110T120000Z.tar.gz").touch()
        with working_in(folder):
            assert len(list(folder.iterdir())) == 4
    with working_in(folder):
        assert [path.name for path in folder.iterdir()] == ["xin-backup-20250110T120000Z.tar.gz"]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_file_that_is_broken_off_gets_no_name(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="the line is cut"), whole_or_not(tmp_path / "backup") as sink:
        sink.write(b"half")
        raise OSError("the line is cut")
    assert list(tmp_path.iterdir()) == []


def test_two_of_one_name_are_written_apart(tmp_path: Path) -> None:
    file = tmp_path / "backup"
    with whole_or_not(file) as first:
        first.write(b"first")
        with whole_or_not(file) as second:
            second.write(b"second")
        assert file.read_bytes() == b"second"
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("backup", b"first")]
    assert file.stat().st_mode & 0o777 == 0o600
