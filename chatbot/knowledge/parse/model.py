"""What parsing takes and gives: limits on one side, a document of Markdown on the other."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from chatbot.knowledge.parse.errors import ParseError, ParseFault

MEGABYTE = 1024 * 1024


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

    def to_wire(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_wire(cls, values: dict[str, Any]) -> ParsedDocument:
        pairs = tuple(Pair(question, answer, tuple(groups)) for question, answer, groups in values["pairs"])
        return cls(**{**values, "warnings": tuple(values["warnings"]), "pairs": pairs})


def check_size(size: int, limits: ParseLimits) -> None:
    """Refuse a file by its size in bytes, before it is read. Raises ParseError(`too_large`)."""
    if size > limits.max_bytes:
        raise ParseError(
            ParseFault.TOO_LARGE,
            f"The file has {size / MEGABYTE:.1f} MB; at most {limits.max_bytes // MEGABYTE} MB are read.",
        )
