"""The archive of a tenant: one ZIP in the file store, written row by row and never whole in memory."""

import asyncio
import hashlib
import tempfile
import zipfile
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO
from uuid import UUID

import orjson

from chatbot.core.blobs import BlobStore
from chatbot.core.clock import utcnow
from chatbot.core.errors import NotFound
from chatbot.db.sessions import Database
from chatbot.helpdesk.tickets.export import json_lines
from chatbot.helpdesk.tickets.repository import Filter
from chatbot.ops.export.lines import lines
from chatbot.ops.export.repository import Part, rows

KINDS = ("conversations", "messages", "events", "knowledge", "passages", "attachments")
_FILES = {"knowledge": "knowledge_files", "attachments": "attachment_files"}
_PIECE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Archive:
    """Where an archive is: its key in the file store, its size, its SHA-256, and what is in it by kind."""

    key: str
    bytes: int
    sha256: str
    counts: dict[str, int]


async def write_archive(database: Database, blobs: BlobStore, tenant_id: UUID) -> Archive:
    """Archive what a tenant's visitors said and what its bots knew.

    Raises:
        Unavailable: the file store does not answer; nothing is archived.
    """
    counts: Counter[str] = Counter()
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for kind in KINDS:
                found = lines(database, tenant_id, kind, Part(), "jsonl")
                counts[kind] = await _write_lines(archive, f"{kind}.jsonl", found)
            counts["tickets"] = await _write_lines(archive, "tickets.jsonl", json_lines(database, tenant_id, Filter()))
            for kind, folder in _FILES.items():
                counts[folder] = await _write_files(archive, folder, database, blobs, tenant_id, kind)
            archive.writestr("manifest.json", orjson.dumps({"tenant_id": tenant_id, "counts": counts}))
        size, digest = await asyncio.to_thread(_measure, file)
        key = f"archives/{tenant_id}/{utcnow():%Y%m%dT%H%M%SZ}.zip"
        file.seek(0)
        await blobs.put_stream(key, file)
    return Archive(key, size, digest, dict(counts))


async def _write_lines(archive: zipfile.ZipFile, name: str, found: AsyncIterator[str]) -> int:
    count, piece = 0, bytearray()
    with archive.open(name, "w", force_zip64=True) as entry:
        async for line in found:
            piece += line.encode()
            count += 1
            if len(piece) > _PIECE:
                await asyncio.to_thread(entry.write, bytes(piece))
                piece.clear()
        entry.write(bytes(piece))
    return count


async def _write_files(
    archive: zipfile.ZipFile, folder: str, database: Database, blobs: BlobStore, tenant_id: UUID, kind: str
) -> int:
    """Put stored files into the archive, named by their row's id; one that is lost already is left out."""
    count = 0
    async for row in rows(database, tenant_id, kind, Part()):
        if not row["blob_key"]:
            continue
        try:
            body = await blobs.get(row["blob_key"])
        except NotFound:
            continue
        await asyncio.to_thread(archive.writestr, f"{folder}/{row['id']}", body)
        count += 1
    return count


def _measure(file: IO[bytes]) -> tuple[int, str]:
    digest = hashlib.sha256()
    file.seek(0)
    while piece := file.read(_PIECE):
        digest.update(piece)
    return file.tell(), digest.hexdigest()
