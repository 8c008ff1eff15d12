"""What is to become passages: drafts of a source's version, and what is known of them before they are stored."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from chatbot.core.ids import id_of_part
from chatbot.knowledge.analysis.words import Analysis, term_key
from chatbot.knowledge.embedding.contract import Vectors
from chatbot.knowledge.index.vectors import VectorRecord
from chatbot.knowledge.index.weighting import analyse_passage, gram_weights, sparse_literal, stem_weights

_MAX_WORD = 80  # longer "words" are encoded data; they are found by their grams only


@dataclass(frozen=True, slots=True)
class SourceVersion:
    """The version of a source that passages belong to; ``title`` is part of what each of them is found by."""

    brand_id: UUID
    source_id: UUID
    version: int
    title: str


@dataclass(frozen=True, slots=True)
class PassageDraft:
    """A passage before it is stored: ``language`` is a two-letter code, ``ordinal`` counts from 0 in the source."""

    ordinal: int
    text: str
    language: str
    heading_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EmbeddedPassages:
    """Vectors of one embedder by ordinal; ordinals in languages it does not know are absent."""

    embedder: str
    dimensions: int
    by_ordinal: Mapping[int, Vectors] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnalysedPassage:
    """A draft with all that is stored of it, under the id that its place in its source's version gives it."""

    id: UUID
    draft: PassageDraft
    analysis: Analysis
    words: dict[int, str]  # term key to stem
    embedders: tuple[str, ...]
    columns: dict[str, Any]

    @property
    def content_hash(self) -> str:
        """The hash of its text."""
        return str(self.columns["hashes"])


async def analyse_drafts(
    source: SourceVersion, drafts: Sequence[PassageDraft], vectors: Sequence[EmbeddedPassages] = ()
) -> list[AnalysedPassage]:
    """Analyse drafts beside the event loop; to be called before anything is locked, for it is all CPU."""
    return await asyncio.to_thread(_analysed, source, drafts, vectors)


def records_of(rows: Sequence[AnalysedPassage], embedded: EmbeddedPassages) -> list[VectorRecord]:
    """Return the vectors that one embedder has of passages."""
    known = embedded.by_ordinal
    return [VectorRecord(row.id, known[row.draft.ordinal]) for row in rows if row.draft.ordinal in known]


def counted(rows: Sequence[AnalysedPassage]) -> dict[int, tuple[str, int]]:
    """Return term key to (stem, number of passages that hold it)."""
    counts = Counter(term for row in rows for term in row.words)
    words = {term: stem for row in rows for term, stem in row.words.items()}
    return {term: (words[term], count) for term, count in counts.items()}


def _analysed(
    source: SourceVersion, drafts: Sequence[PassageDraft], vectors: Sequence[EmbeddedPassages]
) -> list[AnalysedPassage]:
    rows = []
    for draft in drafts:
        analysis = analyse_passage(source.title, draft.heading_path, draft.text, draft.language)
        stems = dict.fromkeys(word.stem for word in analysis.words if len(word.stem) <= _MAX_WORD)
        words = {term_key(source.brand_id, stem): stem for stem in stems}
        embedders = tuple(embedded.embedder for embedded in vectors if draft.ordinal in embedded.by_ordinal)
        columns = {
            "ordinals": draft.ordinal,
            "texts": draft.text,
            "headings": orjson.dumps(draft.heading_path).decode(),
            "languages": draft.language,
            "hashes": hashlib.sha256(draft.text.encode()).hexdigest(),
            "lengths": analysis.length,
            "terms": f"{{{','.join(map(str, words))}}}",
            "weights": sparse_literal(stem_weights(analysis)),
            "grams": sparse_literal(gram_weights(analysis)),
            "embedders": orjson.dumps(embedders).decode(),
        }
        passage_id = id_of_part(source.source_id, source.version, draft.ordinal)
        rows.append(AnalysedPassage(passage_id, draft, analysis, words, embedders, columns))
    return rows
