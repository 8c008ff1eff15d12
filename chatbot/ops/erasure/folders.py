"""Exported files and log files, searched for a visitor."""

import asyncio
import mmap
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import UUID

import orjson

_BLANK = b"*"

_NAMES_A_TENANT = re.compile(rb"tenant(?:_id)?\W{1,12}(?:uuid\W{1,3})?[0-9a-f]{8}-[0-9a-f]{4}-")
"""How a line of a log tells whose it is; it is searched in small letters."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is blanked in log files, which all tenants share: never in a line that names another tenant.

    Attributes:
        own: in lines that name the tenant.
        anywhere: some of those, in lines that name no tenant, too.
    """

    tenant_id: UUID
    own: Sequence[str]
    anywhere: Sequence[str] = ()


async def drop_exports(folders: Sequence[Path], marks: Sequence[str]) -> int:
    """Delete every exported file in which one of the marks stands; return how many."""
    return await asyncio.to_thread(_drop, folders, _Lines.with_marks(marks))


async def count_exports(folders: Sequence[Path], marks: Sequence[str]) -> int:
    """Count the files that `drop_exports` would delete."""
    return await asyncio.to_thread(lambda: sum(1 for _ in _marked(folders, _Lines.with_marks(marks))))


async def count_words(folder: Path, words: Words) -> int:
    """Count how often `blank` would overwrite."""
    return await asyncio.to_thread(_count_all, folder, _Lines.with_words(words))


async def blank(folder: Path, words: Words) -> int:
    """Overwrite words in log files by as many asterisks, in place, while others write on; return how often."""
    return await asyncio.to_thread(_blank_all, folder, _Lines.with_words(words))


@dataclass(frozen=True, slots=True)
class _Lines:
    """Finds words in the lines in which they may be looked for.

    Attributes:
        name: by what a line names the tenant; None: it does not matter whose a line is.
    """

    name: bytes | None
    own: re.Pattern[bytes] | None
    anywhere: re.Pattern[bytes] | None

    @classmethod
    def with_words(cls, words: Words) -> "_Lines":
        own, anywhere = (_pattern(each, quoted=True) for each in (words.own, words.anywhere))
        return cls(str(words.tenant_id).encode(), own, anywhere)

    @classmethod
    def with_marks(cls, marks: Sequence[str]) -> "_Lines":
        return cls(None, None, _pattern(marks))

    def __bool__(self) -> bool:
        return self.own is not None or self.anywhere is not None

    def found(self, line: bytes) -> Iterator[re.Match[bytes]]:
        words = self.anywhere
        if self.name is not None and self.name in line:
            words = self.own
        elif self.name is not None and _NAMES_A_TENANT.search(line):
            words = None
        return iter(()) if words is None else words.finditer(line)


def _drop(folders: Sequence[Path], marks: _Lines) -> int:
    dropped = 0
    for path in _marked(folders, marks):
        with suppress(FileNotFoundError):
            path.unlink()
            dropped += 1
    return dropped


def _marked(folders: Sequence[Path], marks: _Lines) -> Iterator[Path]:
    for folder in folders:
        for path in _files(folder):
            with suppress(FileNotFoundError), path.open("rb") as file:  # an old one goes meanwhile
                if any(True for _ in _places(file, marks)):
                    yield path


def _count_all(folder: Path, words: _Lines) -> int:
    found = 0
    for path in _files(folder):
        with suppress(FileNotFoundError), path.open("rb") as file:
            found += sum(1 for _ in _places(file, words))
    return found


def _blank_all(folder: Path, words: _Lines) -> int:
    return sum(_blank_file(path, words) for path in _files(folder))


def _blank_file(path: Path, words: _Lines) -> int:
    """Found and overwritten in the file that was opened, whatever stands under its name by then."""
    try:
        with path.open("r+b") as file:
            found = [*_places(file, words)]
            for start, length in found:
                os.pwrite(file.fileno(), _BLANK * length, start)
    except FileNotFoundError:
        return 0
    return len(found)


def _places(file: IO[bytes], words: _Lines) -> Iterator[tuple[int, int]]:
    """Give start and length of each word in a file, whatever its capitals (of ASCII)."""
    if not words or not os.fstat(file.fileno()).st_size:
        return
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as seen:
        start = 0
        for line in iter(seen.readline, b""):
            for found in words.found(line.lower()):
                yield start + found.start(), len(found.group())
            start += len(line)


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()] if folder.is_dir() else []


def _pattern(words: Sequence[str], *, quoted: bool = False) -> re.Pattern[bytes] | None:
    """Each word, also as JSON escapes its letters, as a whole and not as a part of another; None: there are none.

    Args:
        quoted: only as it can stand inside a JSON string: a word with quotation marks is not what builds a line.
    """
    plain = [word.encode() for word in words if not quoted or not set(word) & {'"', "\\"}]
    spelt = {form.lower() for form in (*plain, *map(_escaped, words)) if form}
    either = b"|".join(re.escape(form) for form in sorted(spelt, key=len, reverse=True))
    return re.compile(rb"(?<![\w.@+-])(?:" + either + rb")(?![\w-]|\.\w)") if either else None


def _escaped(word: str) -> bytes:
    plain = orjson.dumps(word).decode()[1:-1]
    return "".join(letter if letter.isascii() else f"\\u{ord(letter):04x}" for letter in plain).encode()
