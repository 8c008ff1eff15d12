"""Exports as lines: JSON for programs, CSV for people; a part that goes on where another ended has no header."""

from collections.abc import AsyncIterator
from typing import Any, Literal
from uuid import UUID

import orjson

from chatbot.core.csv_cells import csv_rest, csv_stream
from chatbot.db.sessions import Database
from chatbot.ops.export.repository import EXPORTS, Part, rows

Format = Literal["jsonl", "csv"]
JSON_LINES = "application/x-ndjson"


def lines(database: Database, tenant_id: UUID, kind: str, part: Part, wanted: Format) -> AsyncIterator[str]:
    """Give an export line by line."""
    found = rows(database, tenant_id, kind, part)
    if wanted == "jsonl":
        return _json_lines(found)
    cells = ([_cell(value) for value in row.values()] async for row in found)
    return csv_rest(cells) if part.after is not None else csv_stream(EXPORTS[kind].names, cells)


async def _json_lines(found: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    async for row in found:
        yield orjson.dumps(row, option=orjson.OPT_UTC_Z).decode() + "\n"


def _cell(value: Any) -> object:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value
