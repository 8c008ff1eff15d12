"""Cursor pagination: lists are ordered by id (UUIDv7, so by time), newest first."""

from collections.abc import Sequence
from typing import Annotated, Protocol, TypeVar
from uuid import UUID

from fastapi import Query

from chatbot.core.errors import InvalidInput

MAX_PAGE = 200
_DIGITS = 16


class HasId(Protocol):
    """A row with an id."""

    @property
    def id(self) -> UUID:
        """The id, by which the list is in order."""


Row = TypeVar("Row", bound=HasId)
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Rows a page, 1 to 200.")]
Cursor = Annotated[str | None, Query(max_length=64, description="`next_cursor` of the page before.")]


def before_id(cursor: str | None) -> UUID | None:
    """Decode a cursor: only rows with a smaller id follow.

    Raises:
        InvalidInput: the cursor is not one that we gave.
    """
    if cursor is None:
        return None
    try:
        return UUID(cursor)
    except ValueError:
        raise InvalidInput.field("cursor", "is not a cursor of this list") from None


def after_id(cursor: str | None) -> UUID | None:
    """Decode a cursor of a list that is not newest first: only rows behind the one with this id follow.

    Raises:
        InvalidInput: the cursor is not one that we gave.
    """
    return before_id(cursor)


def number_of(cursor: str | None) -> int | None:
    """Decode a cursor that is a number, of lists that are ordered by one.

    Raises:
        InvalidInput: the cursor is not one that we gave.
    """
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < _DIGITS):
        raise InvalidInput.field("cursor", "is not a cursor of this list")
    return int(cursor)


def cut_page(rows: Sequence[Row], limit: int) -> tuple[list[Row], str | None]:
    """Cut `limit + 1` fetched rows into a page and the next cursor."""
    page = list(rows[:limit])
    more = len(rows) > limit
    return page, str(page[-1].id) if more else None
