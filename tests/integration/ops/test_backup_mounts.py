"""Backups where folders are mounts, as in containers: files on a volume, a small /tmp in memory."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from chatbot.core.blobs import open_blobs
from chatbot.core.settings import Settings
from chatbot.db.bootstrap import prepare_database
from chatbot.db.dump import row_counts
from chatbot.ops.backup.create import create_backup
from tests.conftest import TenantRows

Place = Callable[..., Settings]
ROOT = Path(__file__).parents[3]
_BIND = 'mount --bind "$0" "$0" && exec "$@"'
_TINY = 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"'


@cache
def _apart() -> tuple[str, ...]:
    """The command that gives a process mounts of its own; none where this machine does not let us mount."""
    for command in (("unshare", "--mount"), ("unshare", "--mount", "--map-root-user")):
        tried = (*command, "mount", "--bind", "/tmp", "/tmp")
        if shutil.which("unshare") and subprocess.run(tried, capture_output=True, check=False).returncode == 0:
            return command
    return ()


@pytest.fixture
def mounting() -> tuple[str, ...]:
    if not _apart():
        pytest.skip("`unshare --mount` and `mount` are not allowed to this user here")
    return _apart()


def _xin(
    mounting: tuple[str, ...], script: str, folder: Path, settings: Settings, database_url: str, *arguments: str
) -> str:
    """Run a command of `xin backup` with `folder` as a mount, and return what it says."""
    assert settings.xin_encryption_keys is not None
    done = subprocess.run(
        [*mounting, "sh", "-c", script, str(folder), sys.executable, "-m", "chatbot", "backup", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={
            **os.environ, "DATABASE_URL": database_url, "XIN_DATA_DIR": str(settings.data_dir),
            "BACKUP_DIR": str(settings.backup_folder), "TMPDIR": str(folder),
            "XIN_ENCRYPTION_KEYS": settings.xin_encryption_keys.get_secret_value(),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_a_restore_into_a_volume_of_files(
    place: Place, database_url: str, empty_database: str, taught: TenantRows, mounting: tuple[str, ...]
) -> None:
    await (await open_blobs(place("source"))).put(f"{taught.id}/uploads/new", b"new")
    backup = await create_backup(place("source"), database_url)
    target = place("target")
    files = await open_blobs(target)
    await files.put(f"{taught.id}/uploads/old", b"old")
    uploads = target.folder("uploads")
    (uploads / "lost+found").mkdir()
    prepare_database(empty_database)
    printed = _xin(mounting, _BIND, uploads, target, empty_database, "restore", str(backup.file))
    assert row_counts(empty_database) == backup.manifest.tables
    assert [key async for key in files.all_keys()] == [f"{taught.id}/uploads/new"]
    (aside,) = uploads.glob(".before_*")
    assert (aside / str(taught.id) / "uploads" / "old").read_bytes() == b"old"
    assert f"kept as {aside}" in printed
    assert {path.name for path in uploads.iterdir()} == {str(taught.id), "lost+found", aside.name}


async def test_a_file_larger_than_the_room_in_tmp_is_backed_up(
    place: Place, database_url: str, taught: TenantRows, mounting: tuple[str, ...], tmp_path: Path
) -> None:
    settings = place("source")
    await (await open_blobs(settings)).put("large", bytes(12 * 1024 * 1024))
    tiny = tmp_path / "tiny"
    tiny.mkdir()
    assert "1 files" in _xin(mounting, _TINY, tiny, settings, database_url, "create")
