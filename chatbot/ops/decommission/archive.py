"""The archive of a tenant: one ZIP in the file store, sent as it is made: never whole in memory or on the disk."""

import asyncio
import hashlib
import io
import zipfile
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
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
    passing = _Passing()
    key = f"archives/{tenant_id}/{utcnow():%Y%m%dT%H%M%SZ}.zip"
    await blobs.put_stream(key, _pieces(passing, database, blobs, tenant_id, counts))
    return Archive(key, passing.bytes, passing.sha256, dict(counts))


class _Passing(io.RawIOBase):
    """What a ZIP is written into and is taken away from piece by piece, measured as it passes."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._digest = hashlib.sha256()
        self.bytes = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def writable(self) -> bool:
        return True

    def write(self, part: bytes) -> int:  # type: ignore[override]
        self._held += part
        return len(part)

    def held(self) -> int:
        """Return how many bytes wait to be taken."""
        return len(self._held)

    def take(self) -> bytes:
        """Give what was written since the last time."""
        piece = bytes(self._held)
        self._held.clear()
        self._digest.update(piece)
        self.bytes += len(piece)
        return piece


async def _pieces(
    passing: _Passing, database: Database, blobs: BlobStore, tenant_id: UUID, counts: Counter[str]
) -> AsyncIterator[bytes]:
    with zipfile.ZipFile(passing, "w", zipfile.ZIP_DEFLATED) as archive:
        async for _ in _filling(archive, database, blobs, tenant_id, counts):
            if passing.held() > _PIECE:
                yield passing.take()
        archive.writestr("manifest.json", orjson.dumps({"tenant_id": tenant_id, "counts": counts}))
    yield passing.take()


async def _filling(
    archive: zipfile.ZipFile, database: Database, blobs: BlobStore, tenant_id: UUID, counts: Counter[str]
) -> AsyncIterator[None]:
    """Write everything into the archive and count it, a step at a time."""
    told = [(kind, lines(database, tenant_id, kind, Part(), "jsonl")) for kind in KINDS]
    for name, found in [*told, ("tickets", json_lines(database, tenant_id, Filter()))]:
        counts[name] = 0
        async for number in _write_lines(archive, f"{name}.jsonl", found):
            counts[name] += number
            yield
    for kind, folder in _FILES.items():
        counts[folder] = 0
        async for row in rows(database, tenant_id, kind, Part()):
            counts[folder] += await _write_file(archive, f"{folder}/{row['id']}", row["blob_key"], blobs)
            yield


async def _write_lines(archive: zipfile.ZipFile, name: str, found: AsyncIterator[str]) -> AsyncIterator[int]:
    """Write lines piece by piece; give how many are in each."""
    count, piece = 0, bytearray()
    with archive.open(name, "w", force_zip64=True) as entry:
        async for line in found:
            piece += line.encode()
            count += 1
            if len(piece) > _PIECE:
                await asyncio.to_thread(entry.write, bytes(piece))
                yield count
                count = 0
                piece.clear()
        entry.write(bytes(piece))
    yield count


async def _write_file(archive: zipfile.ZipFile, name: str, key: str | None, blobs: BlobStore) -> int:
    """Put a stored file into the archive and return 1; 0 of a row without one, and of one that is lost already."""
    if not key:
        return 0
    try:
        body = await blobs.get(key)
    except NotFound:
        return 0
    await asyncio.to_thread(archive.writestr, name, body)
    return 1
