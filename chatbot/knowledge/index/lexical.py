"""Reads what the lexical index stores: passages as they are shown, neighbours of misspelt words."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chatbot.db.sessions import TenantReader, fetch
from chatbot.knowledge.index.arrays import uuid_array
from chatbot.knowledge.index.statistics import trigram_keys

_TEXTS = """
SELECT p.id, p.source_id, p.version, p.ordinal, p.text, p.heading_path, p.language, p.content_hash,
       s.external_id, s.title, s.url, s.kind
FROM passages p JOIN knowledge_sources s ON s.tenant_id = p.tenant_id AND s.id = p.source_id
WHERE p.tenant_id = %s AND p.id = ANY (%s::uuid[])
"""
_SIMILAR = """
SELECT r.place, f.word, f.passages, f.shared, f.trigrams
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) WITH ORDINALITY AS r(wanted, head, middle, tail, place),
LATERAL xin_similar_words(%s, r.wanted::bigint[], r.head::bigint[], r.middle::bigint[], r.tail::bigint[]) f
"""

_SHORT_WORD = 7  # trigrams; a slip leaves such a word no two of them side by side
_LENGTH_APART = 3  # letters that a misspelt word may be shorter or longer

SimilarWord = tuple[str, float, int]


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage as it can be shown and cited."""

    id: UUID
    source_id: UUID
    version: int
    ordinal: int
    text: str
    heading_path: list[str]
    language: str
    content_hash: str
    external_id: str | None
    title: str
    url: str | None
    kind: str


async def load_passages(session: TenantReader, passage_ids: Sequence[UUID]) -> dict[UUID, StoredPassage]:
    """Load what results show."""
    if not passage_ids:
        return {}
    rows = await fetch(session, _TEXTS, (session.tenant_id, uuid_array(passage_ids)))
    return {row[0]: StoredPassage(*row) for row in rows}


async def similar_words(
    session: TenantReader, brand_id: UUID, words: Sequence[str], *, least: float, most: int
) -> dict[str, tuple[SimilarWord, ...]]:
    """Return the brand's words nearest to unknown ones: (stem, Dice over trigrams, passages that hold it), best first.

    A word that has none is missing.
    """
    if not words:
        return {}
    wanted = [trigram_keys(brand_id, word) for word in words]
    parts = zip(*(map(_array, (keys, *_ends(keys))) for keys in wanted), strict=True)
    near: dict[str, list[SimilarWord]] = {}
    for place, found, passages, shared, trigrams in await fetch(session, _SIMILAR, (*map(list, parts), brand_id)):
        word, dice = words[place - 1], 2 * shared / (len(wanted[place - 1]) + trigrams)
        if dice >= least and abs(len(found) - len(word)) <= _LENGTH_APART:
            near.setdefault(word, []).append((found, dice, passages))
    return {word: tuple(found[:most]) for word, found in near.items()}


def _ends(keys: list[int]) -> tuple[list[int], list[int], list[int]]:
    """The trigrams of which one group must be there: of the word's beginning, middle and end."""
    together = 2 if len(keys) > _SHORT_WORD else 1
    middle = max(0, len(keys) // 2 - 1)
    return keys[:together], keys[middle : middle + together], keys[-together:]


def _array(keys: list[int]) -> str:
    return f"{{{','.join(map(str, keys))}}}"
