"""Which passages of sources are meant: all, those of one version or of all but one, or a single one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatbot.knowledge.index.arrays import uuid_array, whole_numbers

CHOSEN = (
    "unnest(%(sources)s::uuid[], %(versions)s::bigint[], %(kept)s::bigint[], %(ids)s::uuid[]) "
    "AS c(source, version, kept, id)"
)
IS_CHOSEN = (
    "p.source_id = c.source AND (c.version IS NULL OR p.version = c.version) "
    "AND (c.kept IS NULL OR p.version <> c.kept) AND (c.id IS NULL OR p.id = c.id)"
)
"""A passage `p` is among them; both are for statements that are given `values_of`."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Passages of one source; what is None narrows nothing. A passage is meant once, whatever names it."""

    source_id: UUID
    version: int | None = None
    keep_version: int | None = None
    passage_id: UUID | None = None


def values_of(chosen: Sequence[Chosen]) -> dict[str, Any]:
    """Return the arrays that `CHOSEN` reads."""
    return {
        "sources": uuid_array(one.source_id for one in chosen),
        "versions": whole_numbers(one.version for one in chosen),
        "kept": whole_numbers(one.keep_version for one in chosen),
        "ids": uuid_array(one.passage_id for one in chosen),
    }
