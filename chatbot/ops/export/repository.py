"""What is exported, a page at a time in the order of ids: no more than a page is ever in memory."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from chatbot.db.sessions import Database, fetch

_PAGE = 500
_BEFORE_ALL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Export:
    """One kind of export: its columns, in order, and where they come from. The first is the id by which it resumes.

    Attributes:
        at: when a row happened, for those who want a part.
        first: before the first id.
    """

    columns: tuple[LiteralString, ...]
    source: LiteralString
    at: LiteralString
    first: UUID | int = _BEFORE_ALL
    key: LiteralString = "r.id"

    def page(self) -> LiteralString:
        """Return the statement of one page."""
        named = ", ".join(self.columns)
        return f"""
SELECT {named} FROM {self.source}
WHERE r.tenant_id = %(tenant_id)s AND {self.key} > %(after)s
  AND (%(since)s::timestamptz IS NULL OR {self.at} >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR {self.at} < %(until)s)
ORDER BY {self.key} LIMIT {_PAGE}"""  # noqa: S608 - constants only

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(column.rpartition(" AS ")[2].rpartition(".")[2] for column in self.columns)


EXPORTS: Mapping[str, Export] = {
    "conversations": Export(
        (
            "r.id", "r.brand_id", "b.name AS brand", "r.channel_id", "c.channel_type", "r.session_key", "r.state",
            "r.visitor", "r.locale", "r.tags", "r.assignee_id", "r.last_seq AS messages", "r.created_at",
            "r.updated_at", "r.closed_at",
        ),
        "conversations r JOIN brands b ON b.tenant_id = r.tenant_id AND b.id = r.brand_id "
        "JOIN channels c ON c.tenant_id = r.tenant_id AND c.id = r.channel_id",
        at="r.created_at",
    ),
    "messages": Export(
        (
            "r.id", "r.conversation_id", "r.seq", "r.role", "r.author->>'name' AS author", "r.status", "r.text",
            "r.language", "r.content", "r.mode", "r.citations", "r.created_at", "r.edited_at", "r.deleted_at",
            "ARRAY(SELECT a.name FROM attachments a WHERE a.tenant_id = r.tenant_id AND a.message_id = r.id) AS files",
        ),
        "messages r",
        at="r.created_at",
    ),
    "events": Export(
        ("r.id", "r.name", "r.version", "r.payload", "r.correlation_id", "r.occurred_at"), "events r",
        at="r.occurred_at", first=0,
    ),
    "knowledge": Export(
        (
            "r.id", "b.name AS brand", "r.kind", "r.external_id", "r.title", "r.url", "r.language", "r.tags",
            "r.visibility", "r.status", "r.filename", "r.content_type", "r.blob_key", "r.created_at", "r.updated_at",
        ),
        "knowledge_sources r JOIN brands b ON b.tenant_id = r.tenant_id AND b.id = r.brand_id",
        at="r.created_at",
    ),
    "passages": Export(
        ("r.id", "r.source_id", "r.ordinal", "r.heading_path", "r.language", "r.text"),
        "passages r JOIN knowledge_sources s ON s.tenant_id = r.tenant_id AND s.id = r.source_id "
        "AND s.live_version = r.version",
        at="r.created_at",
    ),
    "attachments": Export(
        ("r.id", "r.message_id", "r.name", "r.mime", "r.size", "r.status", "r.blob_key", "r.created_at"),
        "attachments r", at="r.created_at",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """Which rows: behind an id, from one moment to before another; None: no limit."""

    after: UUID | int | None = None
    since: datetime | None = None
    until: datetime | None = None


async def rows(database: Database, tenant_id: UUID, kind: str, part: Part) -> AsyncIterator[dict[str, Any]]:
    """Give rows of an export; no transaction is held while a slow client reads."""
    export = EXPORTS[kind]
    after = export.first if part.after is None else part.after
    while True:
        values = {"tenant_id": tenant_id, "after": after, "since": part.since, "until": part.until}
        async with database.tenant_reader(tenant_id) as session:
            page = await fetch(session, export.page(), values)
        for row in page:
            yield dict(zip(export.names, row, strict=True))
        if len(page) < _PAGE:
            return
        after = page[-1][0]
