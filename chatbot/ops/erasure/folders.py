"""Exported files and log files, searched for a visitor."""

import asyncio
import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

_BLANK = b"*"


async def drop_exports(folders: Sequence[Path], marks: Sequence[str]) -> int:
    """Delete every exported file in which one of the marks stands; return how many."""
    return await asyncio.to_thread(_drop, folders, _spellings(marks))


async def blank(folder: Path, words: Sequence[str]) -> int:
    """Overwrite words in log files by as many asterisks, in place, while others write on; return how often."""
    return await asyncio.to_thread(_blank_all, folder, _spellings(words))


def _drop(folders: Sequence[Path], marks: Sequence[bytes]) -> int:
    dropped = 0
    for folder in folders:
        for path in _files(folder):
            if any(True for _ in _places(path, marks)):
                path.unlink(missing_ok=True)
                dropped += 1
    return dropped


def _blank_all(folder: Path, words: Sequence[bytes]) -> int:
    return sum(_blank_file(path, words) for path in _files(folder))


def _blank_file(path: Path, words: Sequence[bytes]) -> int:
    found = [*_places(path, words)]
    if found:
        with path.open("r+b") as file:
            for start, length in found:
                file.seek(start)
                file.write(_BLANK * length)
    return len(found)


def _places(path: Path, words: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Give start and length of each word in a file, whatever its capitals (of ASCII)."""
    if not words or not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as seen:
        start = 0
        for line in iter(seen.readline, b""):
            lowered = line.lower()
            for word in words:
                at = lowered.find(word)
                while at >= 0:
                    yield start + at, len(word)
                    at = lowered.find(word, at + len(word))
            start += len(line)


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()] if folder.is_dir() else []


def _spellings(words: Sequence[str]) -> list[bytes]:
    """Each word as UTF-8, and as JSON writes it with letters escaped."""
    spelt = {form.lower() for word in words for form in (word.encode(), _escaped(word)) if form}
    return sorted(spelt, key=len, reverse=True)


def _escaped(word: str) -> bytes:
    plain = orjson.dumps(word).decode()[1:-1]
    return "".join(letter if letter.isascii() else f"\\u{ord(letter):04x}" for letter in plain).encode()
