"""A restore that ends before its end: by somebody who connects, a fault of Qdrant, a signal. All is as before."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiohttp import web

from chatbot.core.blobs import open_blobs
from chatbot.core.errors import Unavailable
from chatbot.core.settings import Settings
from chatbot.db.bootstrap import prepare_database
from chatbot.db.dump import DatabaseInUse, row_counts
from chatbot.db.roles import conninfo, owner_url
from chatbot.db.sessions import Database
from chatbot.ops.backup import restore as restoring
from chatbot.ops.backup.create import create_backup
from chatbot.ops.backup.restore import restore_backup
from tests.conftest import TenantRows, make_tenant
from tests.integration.ops.qdrant import QdrantStandIn

Place = Callable[..., Settings]
ROOT = Path(__file__).parents[3]


async def _lived_in(settings: Settings, database_url: str) -> None:
    """Give a platform a tenant and a file of its own."""
    prepare_database(database_url)
    async with Database(database_url, pool_size=1) as database:
        await make_tenant(database, "Was here before")
    await (await open_blobs(settings)).put("old", b"old")


@contextmanager
def _as_before(settings: Settings, database_url: str, qdrant: QdrantStandIn) -> Iterator[None]:
    """Assert that rows, files and vectors are after the block what they were before it, and nothing lies about."""
    qdrant.collections["xin_minilm"] = b"of today"
    names = _databases(database_url)
    yield
    assert row_counts(database_url)["tenants"] == 1
    assert row_counts(database_url)["passages"] == 0
    assert _databases(database_url) == names
    assert [path.name for path in settings.folder("uploads").iterdir()] == ["old"]
    assert qdrant.collections["xin_minilm"] == b"of today"
    assert [path.name for path in settings.backup_folder.iterdir() if path.name.startswith(".")] == []


def _databases(database_url: str) -> set[str]:
    with psycopg.connect(conninfo(owner_url(database_url).set(database="postgres"))) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE datname <> 'xin_restoring'").fetchall()
    return {name for (name,) in found}


async def test_somebody_who_connects_in_the_middle_keeps_what_is_there(
    place: Place, database_url: str, empty_database: str, taught: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    restore_rows = restoring._restore_rows
    connected: list[psycopg.Connection[Any]] = []

    async def and_somebody_comes(*given: Any) -> str:
        beside = await restore_rows(*given)
        connected.append(psycopg.connect(conninfo(owner_url(empty_database))))
        return beside

    monkeypatch.setattr(restoring, "_restore_rows", and_somebody_comes)
    async with QdrantStandIn().served() as qdrant:
        backup = await create_backup(place("source", **qdrant.settings), database_url)
        target = place("target", **qdrant.settings)
        await _lived_in(target, empty_database)
        with _as_before(target, empty_database, qdrant):
            try:
                with pytest.raises(DatabaseInUse, match="stop the platform"):
                    await restore_backup(target, empty_database, backup.file)
            finally:
                connected[0].close()
        assert not qdrant.asked_to_put_back.is_set()


async def test_vectors_that_are_not_taken_leave_rows_and_files_as_they_were(
    place: Place, database_url: str, empty_database: str, taught: TenantRows
) -> None:
    async def refuse() -> None:
        raise web.HTTPInternalServerError

    async with QdrantStandIn().served() as qdrant:
        source = place("source", **qdrant.settings)
        await (await open_blobs(source)).put("new", b"new")
        backup = await create_backup(source, database_url)
        target = place("target", **qdrant.settings)
        await _lived_in(target, empty_database)
        qdrant.puts_back = refuse
        with _as_before(target, empty_database, qdrant), pytest.raises(Unavailable, match="QDRANT_URL"):
            await restore_backup(target, empty_database, backup.file)


async def test_a_signal_in_the_last_step_leaves_rows_and_files_as_they_were(
    place: Place, database_url: str, empty_database: str, taught: TenantRows
) -> None:
    async def hang() -> None:
        await asyncio.sleep(120)

    async with QdrantStandIn().served() as qdrant:
        source = place("source", **qdrant.settings)
        await (await open_blobs(source)).put("new", b"new")
        backup = await create_backup(source, database_url)
        target = place("target", **qdrant.settings)
        await _lived_in(target, empty_database)
        qdrant.puts_back = hang
        with _as_before(target, empty_database, qdrant):
            process = await _restore_apart(target, empty_database, backup.file)
            await asyncio.wait_for(qdrant.asked_to_put_back.wait(), 120)
            assert row_counts(empty_database) == backup.manifest.tables  # the database is in its place already
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 60) != 0


async def _restore_apart(settings: Settings, database_url: str, archive: Path) -> asyncio.subprocess.Process:
    assert settings.xin_encryption_keys is not None
    assert settings.qdrant_url is not None
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chatbot", "backup", "restore", str(archive), cwd=ROOT,
        env={
            **os.environ, "DATABASE_URL": database_url, "XIN_DATA_DIR": str(settings.data_dir),
            "BACKUP_DIR": str(settings.backup_folder), "QDRANT_URL": settings.qdrant_url, "QDRANT_API_KEY": "key",
            "XIN_ENCRYPTION_KEYS": settings.xin_encryption_keys.get_secret_value(),
        },
    )  # fmt: skip
