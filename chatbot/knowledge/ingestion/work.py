"""What a slice of ingestion works on, and what reading a source gives."""

from dataclasses import dataclass
from uuid import UUID

import orjson

from chatbot.db.models import IngestionJob, KnowledgeSource


@dataclass(frozen=True, slots=True)
class Work:
    """A job and its source as they stood when the slice began; `done` passages are written already."""

    tenant_id: UUID
    job_id: UUID
    run: int
    done: int
    parsed_key: str | None
    source_id: UUID
    brand_id: UUID
    parent_id: UUID | None
    parent_version: int | None
    version: int
    kind: str
    title: str
    titled: bool
    url: str | None
    language: str | None
    filename: str | None
    content_type: str | None
    blob_key: str | None

    @classmethod
    def of(cls, source: KnowledgeSource, job: IngestionJob, parent_version: int | None = None) -> "Work":
        """Copy what the slice needs, so that no session stays open while it works."""
        return cls(
            tenant_id=source.tenant_id, job_id=job.id, run=job.run, done=job.done, parsed_key=job.parsed_key,
            source_id=source.id, brand_id=source.brand_id, parent_id=source.parent_id,
            parent_version=parent_version, version=job.version, kind=source.kind, title=source.title,
            titled=source.titled, url=source.url, language=source.language,
            filename=source.filename, content_type=source.content_type, blob_key=source.blob_key,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage to be: its text, the headings above it, its two-letter language."""

    text: str
    heading_path: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A source after reading and cutting. `content_hash` is known only here for what was fetched."""

    title: str
    pieces: tuple[Piece, ...]
    notes: tuple[str, ...] = ()
    content_hash: str | None = None

    def to_bytes(self) -> bytes:
        """Render for the file store, so that a resumed job need not read the source again."""
        pieces = [(piece.text, piece.heading_path, piece.language) for piece in self.pieces]
        return orjson.dumps([self.title, pieces, self.notes, self.content_hash])

    @classmethod
    def from_bytes(cls, data: bytes) -> "Prepared":
        """Read what `to_bytes` wrote."""
        title, pieces, notes, content_hash = orjson.loads(data)
        cut = tuple(Piece(text, tuple(path), language) for text, path, language in pieces)
        return cls(title, cut, tuple(notes), content_hash)
