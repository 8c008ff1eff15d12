"""Rows of cells as one Markdown table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A pipe table; rows are cut or filled to the header's width, cells are put on one line."""
    width = len(header)
    lines = [_row(header), "|" + " --- |" * width]
    lines.extend(_row([*row[:width], *[""] * (width - len(row))]) for row in rows)
    return "\n".join(lines)


def table_cells(line: str) -> list[str]:
    """The cells of one line of a pipe table."""
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
