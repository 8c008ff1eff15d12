"""The archive of a tenant goes into the file store as it is made: nothing of it lies on the disk of the process."""

import hashlib
import io
import os
import tempfile
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr
from sqlalchemy import text

from chatbot.core.blobs import BlobStore, open_bucket, open_folder
from chatbot.core.errors import Unavailable
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database
from chatbot.ops.decommission import archive
from chatbot.ops.decommission.archive import write_archive
from tests.conftest import TenantRows
from tests.integration.dialogue.platform import DOCUMENTS, add_knowledge

_STORED = "UPDATE knowledge_sources SET blob_key = 'files/' || id WHERE tenant_id = :tenant RETURNING id, blob_key"


@pytest.fixture
async def bucket() -> AsyncIterator[BlobStore]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = Settings(
        storage_endpoint_url=f"http://{host}:{port}", storage_access_key=SecretStr("key"),
        storage_secret_key=SecretStr("secret"),
    )  # fmt: skip
    yield await open_bucket(settings, "of-archives")  # every server of a process has the same buckets
    server.stop()


@pytest.fixture
async def files(database: Database, tenant: TenantRows, bucket: BlobStore) -> dict[str, bytes]:
    """Stored files of a tenant's knowledge that no packing makes smaller, by their source."""
    await add_knowledge(database, tenant, DOCUMENTS)
    async with database.platform() as session:
        stored = (await session.execute(text(_STORED), {"tenant": tenant.id})).all()
    bodies = {str(source): os.urandom(3 * 1024 * 1024) for source, _ in stored}
    for source, key in stored:
        await bucket.put(key, bodies[str(source)])
    return bodies


async def test_it_is_whole_and_measured(
    database: Database, tenant: TenantRows, bucket: BlobStore, files: dict[str, bytes]
) -> None:
    made = await write_archive(database, bucket, tenant.id)
    body = await bucket.get(made.key)
    assert (len(body), hashlib.sha256(body).hexdigest()) == (made.bytes, made.sha256)
    assert made.counts["knowledge_files"] == len(files) > 1
    with zipfile.ZipFile(io.BytesIO(body)) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(f"knowledge_files/{name}") for name in files} == files
        assert len(opened.read("passages.jsonl").splitlines()) == made.counts["passages"] > 0


async def test_no_room_for_temporary_files_is_needed(
    database: Database, tenant: TenantRows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_knowledge(database, tenant, DOCUMENTS)
    store = open_folder(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    made = await write_archive(database, store, tenant.id)
    assert hashlib.sha256(await store.get(made.key)).hexdigest() == made.sha256


async def test_one_that_breaks_off_is_not_there(
    database: Database, tenant: TenantRows, bucket: BlobStore, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0

    async def lost(*given: Any) -> int:
        nonlocal written
        written += 1
        if written == len(files):
            raise Unavailable("the database is away")
        return await archive_file(*given)

    archive_file = archive._write_file
    monkeypatch.setattr(archive, "_write_file", lost)
    with pytest.raises(Unavailable, match="the database is away"):
        await write_archive(database, bucket, tenant.id)
    assert [key async for key in bucket.all_keys() if key.startswith(f"archives/{tenant.id}")] == []
