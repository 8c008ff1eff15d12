"""Backups of rows, files and vectors: whole or refused, of one moment, restored beside what is there."""

import asyncio
import os
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from moto.server import ThreadedMotoServer
from psycopg import sql
from pydantic import SecretStr

from chatbot.core.blobs import open_blobs, open_bucket
from chatbot.core.clock import utcnow
from chatbot.core.errors import Conflict
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.db.bootstrap import HEAD, create_bundled_database, downgrade, prepare_database
from chatbot.db.dump import DatabaseInUse, DumpFailed, create_beside, row_counts
from chatbot.db.models import Conversation
from chatbot.db.roles import PLATFORM_ROLE, conninfo, owner_url
from chatbot.db.server import BundledPostgres, binaries, every_binaries
from chatbot.db.sessions import Database
from chatbot.ops.backup.archive import BackupBroken, unpack
from chatbot.ops.backup.create import create_backup
from chatbot.ops.backup.places import archive_name, made_at, open_places
from chatbot.ops.backup.restore import RestoreFailed, compare, restore_backup
from tests.conftest import TenantRows, make_tenant
from tests.integration.ops.qdrant import QdrantStandIn

Place = Callable[..., Settings]
PASSPHRASE = "correct horse battery staple, thirty-two characters"


def _schema(database_url: str) -> str:
    """Everything that a database is but its rows: tables, policies, functions with their owners, rights.

    Without conditions: PostgreSQL writes a condition that it has read back in other words of the same meaning.
    """
    command = [str(binaries() / "pg_dump"), "--schema-only", "--restrict-key=x", f"--dbname={database_url}"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return "\n".join(line.rstrip(",") for line in lines if " CHECK (" not in line and " WHERE (" not in line)


def _rows_of(table: str, dump: Path) -> str:
    command = [str(binaries() / "pg_restore"), "--data-only", f"--table={table}", "--file=-", str(dump)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


async def test_rows_files_and_schema_come_back(
    place: Place, database_url: str, empty_database: str, taught: TenantRows
) -> None:
    source, target = place("source"), place("target")
    await (await open_blobs(source)).put(f"{taught.id}/uploads/x", b"a file" * 1000)
    backup = await create_backup(source, database_url)
    restored = await restore_backup(target, empty_database, backup.file)
    assert row_counts(empty_database) == row_counts(database_url) == backup.manifest.tables
    assert backup.manifest.tables["passages"] > 0
    assert await (await open_blobs(target)).get(f"{taught.id}/uploads/x") == b"a file" * 1000
    assert _schema(empty_database) == _schema(database_url)
    assert (restored.kept, restored.warnings) == ([], [])
    assert backup.file.stat().st_mode & 0o077 == 0


class _OlderPostgres(BundledPostgres):
    """The oldest release that comes along; it knows no built-in locales."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self._programs = every_binaries()[0]
        assert self._programs != binaries()

    def _run(self, program: str, *arguments: str, account: Any) -> None:
        known = [one for one in arguments if "builtin" not in one]
        super()._run(program, *known, account=account)


async def test_a_server_older_than_the_bundled_one_gets_its_rows_back(place: Place, data_dir: Path) -> None:
    """PostgreSQL 16 knows fewer settings than the newest `pg_restore` sets."""
    older = _OlderPostgres(data_dir)
    older.start()
    try:
        create_bundled_database(older.url)
        prepare_database(older.url)
        async with Database(older.url, pool_size=2) as database:
            await make_tenant(database)
        backup = await create_backup(place("source"), older.url)
        empty = create_beside(older.url, "restored")
        await restore_backup(place("target"), empty, backup.file)
        assert row_counts(empty) == row_counts(older.url) == backup.manifest.tables
        assert backup.manifest.tables["tenants"] > 0
    finally:
        older.stop()


async def test_rows_counts_and_files_are_of_one_moment_while_traffic_goes_on(
    place: Place, database: Database, database_url: str, empty_database: str, taught: TenantRows
) -> None:
    stop, said = asyncio.Event(), asyncio.Event()

    async def talk() -> None:
        while not stop.is_set():
            async with database.tenant(taught.id) as session:
                session.add(
                    Conversation(
                        tenant_id=taught.id, id=new_id(), brand_id=taught.brand_id, channel_id=taught.channel_id,
                        session_key=new_id().hex,
                    )
                )  # fmt: skip
            said.set()

    talking = asyncio.create_task(talk())
    try:
        await said.wait()
        backup = await create_backup(place("source"), database_url)
        said.clear()
        await said.wait()
    finally:
        stop.set()
        await talking
    await restore_backup(place("target"), empty_database, backup.file)
    assert row_counts(empty_database) == backup.manifest.tables
    assert 0 < backup.manifest.tables["conversations"] < row_counts(database_url)["conversations"]


async def test_a_broken_archive_is_refused_and_nothing_is_touched(
    place: Place, database_url: str, empty_database: str, taught: TenantRows, tmp_path: Path
) -> None:
    backup = await create_backup(place("source"), database_url)
    whole = backup.file.read_bytes()
    broken = tmp_path / backup.file.name
    middle = len(whole) // 2
    changed = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    for body in (b"", whole[:20], whole[:middle], whole[:-5], changed, b"no archive at all"):
        broken.write_bytes(body)
        with pytest.raises(BackupBroken):
            await restore_backup(place("target"), empty_database, broken)
    assert row_counts(empty_database) == {}
    assert list((tmp_path / "target").iterdir()) == []


async def test_a_backup_that_fails_leaves_nothing_with_a_backups_name(
    place: Place, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise DumpFailed("pg_dump failed: no room")

    monkeypatch.setattr("chatbot.ops.backup.create.dump", fail)
    settings = place("source")
    with pytest.raises(DumpFailed):
        await create_backup(settings, database_url)
    assert list(settings.backup_folder.iterdir()) == []


async def test_a_sealed_backup_opens_with_its_passphrase_only(
    place: Place, database_url: str, empty_database: str, taught: TenantRows
) -> None:
    sealed = place("source", backup_passphrase=SecretStr(PASSPHRASE))
    backup = await create_backup(sealed, database_url)
    assert backup.file.name.endswith(".tar.gz.sealed")
    body = backup.file.read_bytes()
    assert b"database.dump" not in body
    for passphrase in (None, "another one"):
        with pytest.raises(BackupBroken):
            unpack(backup.file, passphrase)
    cut = backup.file.with_name("cut")
    cut.write_bytes(body[: -len(body) // 3])
    with pytest.raises(BackupBroken, match="changed or cut off"):
        unpack(cut, PASSPHRASE)
    target = place("target", backup_passphrase=SecretStr(PASSPHRASE))
    restored = await restore_backup(target, empty_database, backup.file)
    assert restored.manifest.tables == row_counts(empty_database)


async def test_what_was_there_is_kept_and_a_running_platform_is_not_replaced(
    place: Place, database_url: str, empty_database: str, taught: TenantRows
) -> None:
    settings = place("source")
    backup = await create_backup(settings, database_url)
    prepare_database(empty_database)
    async with Database(empty_database, pool_size=1) as running:
        await make_tenant(running, "Was here before")
        await (await open_blobs(place("target"))).put("old", b"old")
        with pytest.raises(DatabaseInUse, match="stop the platform"):
            await restore_backup(place("target"), empty_database, backup.file)
        assert row_counts(empty_database)["tenants"] == 1
    restored = await restore_backup(place("target"), empty_database, backup.file)
    folder, kept = restored.kept
    assert (Path(folder) / "old").read_bytes() == b"old"
    before = owner_url(empty_database).set(database=kept.removeprefix("database "))
    assert row_counts(conninfo(before))["tenants"] == 1
    assert row_counts(empty_database) == backup.manifest.tables
    with psycopg.connect(conninfo(owner_url(database_url)), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(str(before.database))))


async def test_when_the_database_cannot_be_replaced_the_files_are_those_of_before_too(
    place: Place, database_url: str, empty_database: str, taught: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await open_blobs(place("source"))).put("new", b"new")
    backup = await create_backup(place("source"), database_url)
    await (await open_blobs(place("target"))).put("old", b"old")

    def refuse(*_given: object) -> bool:
        raise DatabaseInUse("somebody has connected meanwhile")

    monkeypatch.setattr("chatbot.ops.backup.restore.put_in_place", refuse)
    with pytest.raises(DatabaseInUse):
        await restore_backup(place("target"), empty_database, backup.file)
    assert [key async for key in (await open_blobs(place("target"))).all_keys()] == ["old"]


async def test_a_log_from_another_server_is_read_on_where_each_reader_was(
    place: Place, database_url: str, empty_database: str, taught: TenantRows
) -> None:
    """Transactions of a server that has seen much are numbered far ahead of those of a new one."""
    with psycopg.connect(conninfo(owner_url(database_url)), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for name, txid in (("late", 10**12 + 1), ("early", 10**12), ("last", 10**12 + 2)):
            connection.execute(_EVENT, {"tenant": taught.id, "name": name, "txid": txid})
        for reader, event in (("slow", "early"), ("quick", "late")):
            connection.execute(_READ, {"tenant": taught.id, "reader": reader, "name": event})
        try:
            backup = await create_backup(place("source"), database_url)
        finally:
            connection.execute("DELETE FROM events WHERE tenant_id = %s", (taught.id,))
    await restore_backup(place("target"), empty_database, backup.file)
    with psycopg.connect(conninfo(owner_url(empty_database)), autocommit=True) as connection:
        connection.execute("INSERT INTO events (tenant_id, name, payload) VALUES (%s, 'new', '{}')", (taught.id,))
        unread = connection.execute(_UNREAD, (taught.id,)).fetchall()
    assert unread == [("quick", ["last", "new"]), ("slow", ["late", "last", "new"])]


_EVENT = "INSERT INTO events (tenant_id, name, payload, txid) VALUES (%(tenant)s, %(name)s, '{}', %(txid)s)"
_READ = """
INSERT INTO log_cursors (tenant_id, reader, txid, event_id)
SELECT tenant_id, %(reader)s, txid, id FROM events WHERE tenant_id = %(tenant)s AND name = %(name)s
"""
_UNREAD = """
SELECT c.reader, array_agg(e.name ORDER BY e.txid, e.id) FROM log_cursors c
JOIN events e ON e.tenant_id = c.tenant_id AND (e.txid, e.id) > (c.txid, c.event_id)
WHERE c.tenant_id = %s GROUP BY c.reader ORDER BY c.reader
"""


async def test_a_backup_of_an_older_release_is_brought_to_the_newest_schema(
    place: Place, database_url: str, empty_database: str, taught: TenantRows
) -> None:
    older = await create_backup(place("source"), database_url)
    await restore_backup(place("older"), empty_database, older.file)
    downgrade(empty_database, "0007")
    backup = await create_backup(place("older"), empty_database)
    assert backup.manifest.revision == "0007"
    restored = await restore_backup(place("older"), empty_database, backup.file)
    with psycopg.connect(conninfo(owner_url(empty_database))) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)
    assert row_counts(empty_database)["passages"] == older.manifest.tables["passages"]
    with psycopg.connect(conninfo(owner_url(database_url)), autocommit=True) as connection:
        aside = sql.Identifier(restored.kept[-1].removeprefix("database "))
        connection.execute(sql.SQL("DROP DATABASE {}").format(aside))


async def test_an_owner_that_is_no_superuser_dumps_every_row(
    place: Place, database_url: str, taught: TenantRows
) -> None:
    """RLS is forced on the owner: read as the owner the dump would be empty."""
    owner, name = f"owner_{new_id().hex}", f"owned_{new_id().hex}"
    template = owner_url(database_url)
    with psycopg.connect(conninfo(template), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(owner)))
        admin.execute(
            sql.SQL("GRANT {} TO {} WITH ADMIN TRUE").format(sql.Identifier(PLATFORM_ROLE), sql.Identifier(owner))
        )
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner)))
    url = conninfo(template.set(database=name))
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("CREATE EXTENSION vector")
    owned = conninfo(template.set(database=name, username=owner))
    try:
        prepare_database(owned)
        async with Database(owned, pool_size=1) as database:
            await make_tenant(database)
        backup = await create_backup(place("source"), owned)
        assert backup.manifest.tables == row_counts(url)
        assert backup.manifest.tables["tenants"] == 1
        from_dump = unpack(backup.file, None, place("x").backup_folder)
        assert "Acme" in _rows_of("tenants", place("x").backup_folder / "database.dump")
        assert from_dump == backup.manifest
    finally:
        with psycopg.connect(conninfo(template), autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            admin.execute(
                sql.SQL("REVOKE {} FROM {} CASCADE").format(sql.Identifier(PLATFORM_ROLE), sql.Identifier(owner))
            )
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(owner)))


async def test_a_copy_goes_to_the_bucket_and_old_ones_go(place: Place, database_url: str, taught: TenantRows) -> None:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        settings = place(
            "source", storage_endpoint_url=f"http://{host}:{port}", storage_access_key=SecretStr("key"),
            storage_secret_key=SecretStr("secret"), backup_bucket="xin-db-backups",
        )  # fmt: skip
        await (await open_blobs(settings)).put("a/file", b"in the object store")
        old = archive_name(utcnow() - timedelta(days=31), sealed=False)
        young = archive_name(utcnow() - timedelta(days=29), sealed=False)
        bucket = await open_bucket(settings, "xin-db-backups")
        for name in (old, young):
            await bucket.put(name, b"")
        backup = await create_backup(settings, database_url)
        assert backup.removed == [old]
        places = await open_places(settings)
        assert await places.names() == [young, backup.file.name]
        with pytest.raises(Conflict, match="is the time of 2 backups"):
            await places.fetch("Z")
        whole = backup.file.read_bytes()
        backup.file.unlink()
        places.folder.rmdir()
        made = made_at(backup.file.name)
        assert made is not None
        fetched = await places.fetch(f"{made:%Y%m%dT%H%M%SZ}")
        assert fetched.read_bytes() == whole
        assert (fetched.stat().st_mode & 0o077, places.folder.stat().st_mode & 0o077) == (0, 0)
        assert unpack(fetched, None).under("files/") == ["files/a/file"]
    finally:
        server.stop()


async def test_vectors_of_qdrant_go_along(place: Place, database_url: str, empty_database: str) -> None:
    async with QdrantStandIn().served() as qdrant:
        backup = await create_backup(place("source", **qdrant.settings), database_url)
        assert backup.manifest.under("qdrant/") == ["qdrant/xin_minilm"]
        assert qdrant.snapshots == {}
        qdrant.collections["xin_minilm"] = b"lost"
        await restore_backup(place("target", **qdrant.settings), empty_database, backup.file)
        assert qdrant.collections["xin_minilm"] == b"points" * 100


def test_a_table_that_lost_rows_is_named() -> None:
    compare({"conversations": 100}, {"conversations": 100})
    with pytest.raises(RestoreFailed, match="conversations has 99 rows, the backup 100"):
        compare({"conversations": 100, "tenants": 1}, {"conversations": 99, "tenants": 1})


def test_programs_of_the_wheel_are_there() -> None:
    for program in ("pg_dump", "pg_restore", "psql"):
        assert os.access(binaries() / program, os.X_OK)
