"""Exported files and log files, searched for a visitor."""

import asyncio
import mmap
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import orjson

_BLANK = b"*"


async def drop_exports(folders: Sequence[Path], marks: Sequence[str]) -> int:
    """Delete every exported file in which one of the marks stands; return how many."""
    return await asyncio.to_thread(_drop, folders, _pattern(marks))


async def count_exports(folders: Sequence[Path], marks: Sequence[str]) -> int:
    """Count the files that `drop_exports` would delete."""
    return await asyncio.to_thread(lambda: sum(1 for _ in _marked(folders, _pattern(marks))))


async def count_words(folder: Path, words: Sequence[str]) -> int:
    """Count how often `blank` would overwrite."""
    return await asyncio.to_thread(_count_all, folder, _pattern(words))


async def blank(folder: Path, words: Sequence[str]) -> int:
    """Overwrite words in log files by as many asterisks, in place, while others write on; return how often."""
    return await asyncio.to_thread(_blank_all, folder, _pattern(words))


def _drop(folders: Sequence[Path], marks: re.Pattern[bytes] | None) -> int:
    dropped = 0
    for path in _marked(folders, marks):
        with suppress(FileNotFoundError):
            path.unlink()
            dropped += 1
    return dropped


def _marked(folders: Sequence[Path], marks: re.Pattern[bytes] | None) -> Iterator[Path]:
    for folder in folders:
        for path in _files(folder):
            with suppress(FileNotFoundError), path.open("rb") as file:  # an old one goes meanwhile
                if any(True for _ in _places(file, marks)):
                    yield path


def _count_all(folder: Path, words: re.Pattern[bytes] | None) -> int:
    found = 0
    for path in _files(folder):
        with suppress(FileNotFoundError), path.open("rb") as file:
            found += sum(1 for _ in _places(file, words))
    return found


def _blank_all(folder: Path, words: re.Pattern[bytes] | None) -> int:
    return sum(_blank_file(path, words) for path in _files(folder))


def _blank_file(path: Path, words: re.Pattern[bytes] | None) -> int:
    """Found and overwritten in the file that was opened, whatever stands under its name by then."""
    try:
        with path.open("r+b") as file:
            found = [*_places(file, words)]
            for start, length in found:
                os.pwrite(file.fileno(), _BLANK * length, start)
    except FileNotFoundError:
        return 0
    return len(found)


def _places(file: IO[bytes], words: re.Pattern[bytes] | None) -> Iterator[tuple[int, int]]:
    """Give start and length of each word in a file, whatever its capitals (of ASCII)."""
    if words is None or not os.fstat(file.fileno()).st_size:
        return
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as seen:
        start = 0
        for line in iter(seen.readline, b""):
            for found in words.finditer(line.lower()):
                yield start + found.start(), len(found.group())
            start += len(line)


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()] if folder.is_dir() else []


def _pattern(words: Sequence[str]) -> re.Pattern[bytes] | None:
    """Each word, also as JSON escapes its letters, as a whole and not as a part of another; None: there are none."""
    spelt = {form.lower() for word in words for form in (word.encode(), _escaped(word)) if form}
    either = b"|".join(re.escape(form) for form in sorted(spelt, key=len, reverse=True))
    return re.compile(rb"(?<![\w.@+-])(?:" + either + rb")(?![\w-]|\.\w)") if either else None


def _escaped(word: str) -> bytes:
    plain = orjson.dumps(word).decode()[1:-1]
    return "".join(letter if letter.isascii() else f"\\u{ord(letter):04x}" for letter in plain).encode()
