"""CSV for people who open it in a spreadsheet: no cell is taken for a formula, Persian stays readable in Excel."""

import csv
import io
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence

MEDIA_TYPE = "text/csv; charset=utf-8"
_BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel reads UTF-8 as the machine's old code page."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheets begin a formula with, full-width twins too (OWASP, "CSV Injection")."""

_APOSTROPHE = "'"


def safe_cell(value: object) -> str:
    """Return a cell's text: "" for None, `true`/`false`, numbers as they are, text never the beginning of a formula.

    A text that a spreadsheet would compute, with blanks before it or not, gets an apostrophe in front, which shows it
    as text.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    risky = text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    return f"{_APOSTROPHE}{text}" if risky else text


def csv_line(cells: Iterable[object]) -> str:
    """Return one row, quoted where needed, with CRLF at its end (RFC 4180)."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([safe_cell(cell) for cell in cells])
    return line.getvalue()


def csv_lines(header: Sequence[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Give a whole file, line by line."""
    yield _BYTE_ORDER_MARK + csv_line(header)
    for row in rows:
        yield csv_line(row)


async def csv_rest(rows: AsyncIterable[Iterable[object]]) -> AsyncIterator[str]:
    """As `csv_stream`, without a header: the rest of a file that was cut."""
    async for row in rows:
        yield csv_line(row)


async def csv_stream(header: Sequence[str], rows: AsyncIterable[Iterable[object]]) -> AsyncIterator[str]:
    """As `csv_lines`, of rows that come one by one: for exports too long to be held."""
    yield _BYTE_ORDER_MARK + csv_line(header)
    async for row in rows:
        yield csv_line(row)
