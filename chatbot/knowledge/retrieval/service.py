"""Retrieval from question to passages: understand, find by words and by meaning, score, fuse, weigh the evidence, choose."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from chatbot.core.errors import XinError
from chatbot.core.logging import get_logger
from chatbot.core.metrics import RETRIEVAL_SECONDS
from chatbot.db.sessions import TenantReader, driver_connection
from chatbot.knowledge.analysis.languages import detect_language
from chatbot.knowledge.embedding.contract import Embedder, Vectors, knows
from chatbot.knowledge.index.grams import GramTables
from chatbot.knowledge.index.lexical import (
    ScoredPassage,
    Scope,
    StoredPassage,
    find_candidates,
    load_passages,
    rescore,
)
from chatbot.knowledge.index.statistics import BrandSize, read_size
from chatbot.knowledge.index.vectors import Filters, PostgresVectors, VectorQuery, VectorStore
from chatbot.knowledge.index.weighting import analyse_passage
from chatbot.knowledge.retrieval.config import RetrievalConfig
from chatbot.knowledge.retrieval.context import choose
from chatbot.knowledge.retrieval.evidence import VectorSignals, evidence
from chatbot.knowledge.retrieval.fusion import FusedPassage, fuse
from chatbot.knowledge.retrieval.question import Question, understand
from chatbot.knowledge.retrieval.results import RetrievalResult, Stage

log = get_logger(__name__)

_LEXICAL_CANDIDATES = 150
_VECTOR_CANDIDATES = 100
_FETCH_BUDGET = 3000
"""Passages that the rarest words together may fetch for scoring; common words add nothing to them."""

_EVIDENCE_PASSAGES = 3
_SHOWN = 20  # candidates listed in a stage's report
MAX_QUESTION = 4000
"""Characters of a question that are used."""


class _Clock:
    """Collects stages and the milliseconds of each."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self._begun = self._last = time.perf_counter()

    def stage(self, name: str, detail: Mapping[str, Any]) -> None:
        now = time.perf_counter()
        self.stages.append(Stage(name, round((now - self._last) * 1000, 2), detail))
        self._last = now

    @property
    def total(self) -> float:
        return round((time.perf_counter() - self._begun) * 1000, 2)


class Retriever:
    """Searches brands' knowledge. One per process; holds caches, never rows of a tenant's text.

    Args:
        embedders: the first one ranks; others are only reported beside it. Empty: words only.
        store: where vectors are; pgvector by default.
    """

    def __init__(self, embedders: Sequence[Embedder] = (), store: VectorStore | None = None) -> None:
        self.embedders = tuple(embedders)
        self.store: VectorStore = store or PostgresVectors()
        self._tables = GramTables()

    async def retrieve(
        self,
        session: TenantReader,
        *,
        tenant_id: UUID,
        brand_id: UUID,
        query: str,
        config: RetrievalConfig,
        limit: int = 10,
        visibility: tuple[str, ...] = ("public",),
    ) -> RetrievalResult:
        """Find passages for ``query`` among the brand's live ones, all in the session's snapshot.

        Args:
            limit: results returned, in order, those cut from the context included.
            visibility: ``("public", "internal")`` for a brand's own staff.
        """
        clock = _Clock()
        connection = await driver_connection(session)
        scope = Scope(tenant_id, brand_id, Filters(tuple(config.filters.tags), visibility))
        size = await read_size(connection, tenant_id, brand_id)
        text = query.strip()[:MAX_QUESTION]
        embedding = asyncio.create_task(self._embed(text, size)) if config.hybrid_weight > 0 else None
        try:
            question = await understand(connection, self._tables, tenant_id, brand_id, text, size)
            clock.stage("normalise", _described(question))
            lexical = await _lexical_candidates(connection, scope, question)
            clock.stage("lexical", {"candidates": _pairs(lexical)})
        finally:
            embedded = await embedding if embedding else []
        vectors = [VectorQuery(brand_id, embedder.id, vector, size.passages, scope.filters) for embedder, vector in embedded]
        nearest = await self._nearest(session, scope, vectors, clock)
        result = await self._ranked(session, scope, question, config, limit, (lexical, nearest, vectors), clock)
        RETRIEVAL_SECONDS.observe(result.took_ms / 1000)
        return result

    async def _ranked(
        self,
        session: TenantReader,
        scope: Scope,
        question: Question,
        config: RetrievalConfig,
        limit: int,
        found: tuple[list[tuple[UUID, float]], list[tuple[UUID, float]], list[VectorQuery]],
        clock: _Clock,
    ) -> RetrievalResult:
        lexical, nearest, vectors = found
        connection = await driver_connection(session)
        ids = list(dict.fromkeys([pair[0] for pair in lexical] + [pair[0] for pair in nearest]))
        candidates = await rescore(connection, scope, ids, question.stems, question.grams) if ids else []
        clock.stage("filter", _filtered(scope, ids, candidates))
        cosines = await self._cosines(session, vectors, candidates)
        fused = fuse(candidates, cosines, config.hybrid_weight)
        clock.stage("fuse", {"weight": config.hybrid_weight if cosines else 0.0, "order": _order(fused)})
        shown = max(limit, _EVIDENCE_PASSAGES)
        stored = await load_passages(connection, scope.tenant_id, [passage.id for passage in fused[:shown]])
        score = _weigh(question, fused, stored, cosines)
        answerable = score >= config.min_score and bool(fused)
        results = choose(fused[:shown], stored, config, answerable=answerable)[:limit]
        clock.stage(
            "choose",
            {
                "evidence": round(score, 4),
                "min_score": config.min_score,
                "answerable": answerable,
                "cut": [{"rank": r.rank, "passage_id": str(r.passage_id), "why": r.cut} for r in results if r.cut],
            },
        )
        return RetrievalResult(
            question.text, question.language, tuple(results), round(score, 4), answerable, tuple(clock.stages), clock.total
        )

    async def _embed(self, text: str, size: BrandSize) -> list[tuple[Embedder, Vectors]]:
        """Embed the question with each embedder that knows its language; a failing one is left out, never fatal."""
        language = detect_language(text, among=size.languages or None, default=size.main_language)
        done = []
        for embedder in self.embedders:
            if not text or not size.passages or not knows(embedder, language):
                continue
            try:
                done.append((embedder, await embedder.embed_query(text)))
            except XinError as error:
                log.warning("embedder failed; searching without it", embedder=embedder.id, reason=error.detail)
        return done

    async def _nearest(
        self, session: TenantReader, scope: Scope, vectors: Sequence[VectorQuery], clock: _Clock
    ) -> list[tuple[UUID, float]]:
        """Search every embedder's vectors; the first one's candidates are the ones that rank."""
        nearest: list[tuple[UUID, float]] = []
        for position, query in enumerate(vectors):
            found = await self.store.search(session, query, _VECTOR_CANDIDATES)
            role = "ranks" if position == 0 else "beside"
            clock.stage("vector", {"embedder": query.embedder, "role": role, "candidates": _pairs(found)})
            if position == 0:
                nearest = found
        return nearest

    async def _cosines(
        self, session: TenantReader, vectors: Sequence[VectorQuery], candidates: Sequence[ScoredPassage]
    ) -> dict[UUID, float] | None:
        if not vectors or not candidates:
            return None
        return await self.store.scores(session, vectors[0], [candidate.id for candidate in candidates]) or None


async def _lexical_candidates(
    connection: AsyncConnection[Any], scope: Scope, question: Question
) -> list[tuple[UUID, float]]:
    """Fetch by the rarest words only, as many as the budget allows: what common words alone would add ranks last."""
    terms = sorted((count, term) for term, count in question.holding.items() if count > 0)
    if not terms:
        return []
    if terms[0][0] > _FETCH_BUDGET and len(terms) > 1:
        both = [term for _, term in terms[:2]]
        found = await find_candidates(connection, scope, both, question.stems, _LEXICAL_CANDIDATES, all_terms=True)
        if len(found) >= _LEXICAL_CANDIDATES // 3:
            return found
    chosen, fetched = [terms[0][1]], terms[0][0]
    for count, term in terms[1:]:
        if fetched + count > _FETCH_BUDGET:
            break
        chosen.append(term)
        fetched += count
    return await find_candidates(connection, scope, chosen, question.stems, _LEXICAL_CANDIDATES)


def _weigh(
    question: Question,
    fused: Sequence[FusedPassage],
    stored: Mapping[UUID, StoredPassage],
    cosines: Mapping[UUID, float] | None,
) -> float:
    rows = [stored[passage.id] for passage in fused[:_EVIDENCE_PASSAGES] if passage.id in stored]
    top = [analyse_passage(row.title, row.heading_path, row.text, question.language) for row in rows]
    best = max(fused, key=lambda passage: passage.lexical, default=None)
    signals = None
    if cosines and best is not None:
        signals = VectorSignals(sorted(cosines.values(), reverse=True), cosines.get(best.id, 0.0))
    return evidence(question, top, best.lexical if best else 0.0, signals)


def _described(question: Question) -> dict[str, Any]:
    return {
        "language": question.language,
        "normalised": question.normalised,
        "passages": question.passages,
        "words": [
            {"stem": word.stem, "passages": word.holding, "similar": [stem for stem, _, _ in word.similar]}
            for word in question.words
        ],
    }


def _pairs(found: Sequence[tuple[UUID, float]]) -> list[dict[str, Any]]:
    return [{"passage_id": str(passage), "score": round(score, 4)} for passage, score in found[:_SHOWN]]


def _order(fused: Sequence[FusedPassage]) -> list[dict[str, Any]]:
    return [
        {"passage_id": str(p.id), "score": round(p.score, 4), "lexical": round(p.lexical, 4), "vector": p.vector}
        for p in fused[:_SHOWN]
    ]


def _filtered(scope: Scope, ids: Sequence[UUID], candidates: Sequence[ScoredPassage]) -> dict[str, Any]:
    kept = {candidate.id for candidate in candidates}
    return {
        "brand_id": str(scope.brand_id),
        "tags": list(scope.filters.tags),
        "visibility": list(scope.filters.visibility),
        "candidates": len(ids),
        "not_live_or_not_visible": [str(passage) for passage in ids if passage not in kept][:_SHOWN],
    }
