"""What parsing takes and gives: limits on one side, a document of Markdown on the other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import NamedTuple

from chatbot.knowledge.parse.errors import ParseError, ParseFault

MEGABYTE = 1024 * 1024
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """How much one file may cost. Sizes in bytes, times in seconds."""

    max_bytes: int = 50 * MEGABYTE
    max_inflated_bytes: int = 100 * MEGABYTE
    max_entries: int = 5_000
    max_pages: int = 3_000
    max_text_chars: int = 20_000_000
    memory_bytes: int = 1_024 * MEGABYTE
    cpu_seconds: int = 60
    wall_seconds: float = 120.0


class Pair(NamedTuple):
    """A question with its answer, and the groups it stands in, the widest first."""

    question: str
    answer: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """One readable document.

    `markdown` keeps headings (`#`) and tables (pipes, whole). `language` is what the file itself
    declares (BCP 47), None where it says nothing. `warnings` are sentences for the uploader.
    `canonical_url` and `noindex` are what an HTML page says of itself. `pairs` are what the document is made of,
    when it holds questions with their answers and nothing else.
    """

    title: str
    markdown: str
    kind: str
    language: str | None = None
    warnings: tuple[str, ...] = ()
    pages: int | None = None
    canonical_url: str | None = None
    noindex: bool = False
    pairs: tuple[Pair, ...] = ()

    def to_lines(self) -> Iterator[str]:
        """Render for the wire, a JSON value a line: the small fields, pieces of the text, then each pair.

        In small values because a reader of JSON lets no other thread work before its value is whole.
        """
        small = {field.name: getattr(self, field.name) for field in fields(self)}
        del small["markdown"], small["pairs"]
        yield json.dumps(small, ensure_ascii=False)
        for start in range(0, len(self.markdown), _PIECE):
            yield json.dumps(self.markdown[start : start + _PIECE], ensure_ascii=False)
        for pair in self.pairs:
            yield json.dumps(pair, ensure_ascii=False)

    @classmethod
    def from_lines(cls, lines: Iterable[bytes]) -> ParsedDocument:
        """Read what `to_lines` wrote."""
        small, *values = map(json.loads, lines)
        text = [value for value in values if isinstance(value, str)]
        pairs = [Pair(value[0], value[1], tuple(value[2])) for value in values if not isinstance(value, str)]
        read = {**small, "warnings": tuple(small["warnings"])}
        return cls(**read, markdown="".join(text), pairs=tuple(pairs))


def check_size(size: int, limits: ParseLimits) -> None:
    """Refuse a file by its size in bytes, before it is read. Raises ParseError(`too_large`)."""
    if size > limits.max_bytes:
        raise ParseError(
            ParseFault.TOO_LARGE,
            f"The file has {size / MEGABYTE:.1f} MB; at most {limits.max_bytes // MEGABYTE} MB are read.",
        )
