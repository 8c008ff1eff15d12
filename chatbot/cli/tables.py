"""Lists in a terminal: narrow enough for a telephone's 80 columns, and nothing is cut off with dots."""

import sys
from datetime import datetime

from rich.console import Console
from rich.table import Column, Table

_ELSEWHERE = 160
"""Columns where no terminal says how many it has: a pipe, a log, a mail of cron."""


def listing(*names: str, words: str) -> Table:
    """Return a table without lines; the last column, `words`, folds, the others stay whole."""
    whole = (Column(name, no_wrap=True) for name in names)
    return Table(*whole, Column(words, overflow="fold", min_width=8), box=None, padding=(0, 2, 0, 0))


def moment(written: str | None) -> str:
    """Return a time of the API to the minute (UTC), such as `11-26 03:27`; of none, nothing."""
    return f"{datetime.fromisoformat(written):%m-%d %H:%M}" if written else ""


def show(table: Table) -> None:
    """Print a table."""
    Console(width=None if sys.stdout.isatty() else _ELSEWHERE).print(table)
