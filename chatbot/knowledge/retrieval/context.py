"""Chooses, from passages in order, those an answer is made from, and says why the others are not."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from chatbot.knowledge.index.lexical import StoredPassage
from chatbot.knowledge.retrieval.config import RetrievalConfig
from chatbot.knowledge.retrieval.fusion import FusedPassage
from chatbot.knowledge.retrieval.holding import distinct_words
from chatbot.knowledge.retrieval.results import RetrievedPassage

_SAME = 0.9  # share of words in common that makes two passages one


def estimate_tokens(text: str) -> int:
    """Estimate a model's tokens from above: four ASCII bytes, or two letters of another script, are one."""
    return len(text.encode()) // 4 + 1


def choose(
    fused: Sequence[FusedPassage], stored: Mapping[UUID, StoredPassage], config: RetrievalConfig, *, answerable: bool
) -> list[RetrievedPassage]:
    """Return one result per stored passage, ranked, each with the reason it was cut, if it was."""
    chosen: list[RetrievedPassage] = []
    documents: set[UUID] = set()
    seen: list[frozenset[str]] = []
    spent = 0
    for passage in fused:
        row = stored.get(passage.id)
        if row is None:
            continue
        tokens = estimate_tokens(row.text)
        cut = None if answerable else "no_evidence"
        words = distinct_words(row.text) if answerable else frozenset()
        if cut is None and any(_same(words, other) for other in seen):
            cut = "duplicate"
        if cut is None and row.source_id not in documents and len(documents) >= config.max_documents:
            cut = "max_documents"
        if cut is None and documents and spent + tokens > config.context_budget_tokens:
            cut = "context_budget"
        if cut is None:
            documents.add(row.source_id)
            seen.append(words)
            spent += tokens
        chosen.append(_result(len(chosen) + 1, passage, row, tokens, cut))
    return chosen


def _same(words: frozenset[str], other: frozenset[str]) -> bool:
    count, others = len(words), len(other)
    if count < _SAME * others or others < _SAME * count:
        return False
    common = len(words & other)
    return common >= _SAME * (count + others - common)


def _result(rank: int, passage: FusedPassage, row: StoredPassage, tokens: int, cut: str | None) -> RetrievedPassage:
    return RetrievedPassage(
        rank=rank,
        passage_id=row.id,
        source_id=row.source_id,
        external_id=row.external_id,
        title=row.title,
        url=row.url,
        kind=row.kind,
        heading_path=tuple(row.heading_path),
        ordinal=row.ordinal,
        passage=row.text,
        language=row.language,
        score=round(passage.score, 6),
        lexical_score=round(passage.lexical, 4),
        vector_score=None if passage.vector is None else round(passage.vector, 4),
        tokens=tokens,
        cut=cut,
    )
