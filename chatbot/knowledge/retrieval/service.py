"""Retrieval: understand the question, find by words and by meaning, score, fuse, weigh the evidence, choose."""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    Scope,
    ScoredPassage,
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
from chatbot.knowledge.retrieval.evidence import evidence, lexical_signals, vector_signals
from chatbot.knowledge.retrieval.fusion import FusedPassage, fuse
from chatbot.knowledge.retrieval.question import Question, understand
from chatbot.knowledge.retrieval.results import RetrievalResult, Stage

log = get_logger(__name__)

_LEXICAL_CANDIDATES = 60
_VECTOR_CANDIDATES = 40
"""100 and 60 rank the seven judged sets the same to four places, clean and misspelt, and cost half as much again."""

_FETCH_BUDGET = 800
"""Passages that the rarest words together may fetch for scoring; common words add nothing to them (1,500: the same)."""

_COVERED = 0.9
"""Vectors rank only where so many of a brand's passages have one. Not all: what is added while passages are embedded
again has only the new vector, and the old ones must go on serving."""

_FORMER_SECONDS = 600.0
"""A former embedder is asked for so long after a brand that has its vectors was searched, or the process began."""

_MOSTLY_HIDDEN = 3
"""When less than a third of the nearest passages may be seen, they are searched for again with the filters applied."""

_EVIDENCE_PASSAGES = 3
_SHOWN = 20  # candidates listed in a stage's report
MAX_QUESTION = 4000
"""Characters of a question that are used."""

EMBED_SECONDS = 2.0
"""How long a question waits for its vector; later it is searched for by words alone."""

_LATIN = re.compile(r"[a-zA-Z]")


@dataclass(frozen=True, slots=True)
class QuestionVector:
    """A question as one embedder sees it: float32, (dimensions,), length 1."""

    embedder: Embedder
    vector: Vectors


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
        embedders: the first one whose vectors cover a brand ranks; others are only reported beside it. Empty: words
            only.
        former: no longer in use; while passages are embedded again their vectors serve where they cover more.
        store: where vectors are; pgvector by default.
    """

    def __init__(
        self, embedders: Sequence[Embedder] = (), store: VectorStore | None = None, former: Sequence[Embedder] = ()
    ) -> None:
        self.embedders = tuple(embedders)
        self._former = tuple(former)
        self._serves_until = {one.id: time.monotonic() + _FORMER_SECONDS for one in former}
        self.store: VectorStore = store or PostgresVectors()
        self._tables = GramTables()

    async def retrieve(
        self,
        session: TenantReader,
        *,
        tenant_id: UUID,
        brand_id: UUID,
        query: str,
        vectors: Sequence[QuestionVector],
        config: RetrievalConfig,
        limit: int = 10,
        for_staff: bool = False,
    ) -> RetrievalResult:
        """Find passages for ``query`` among the brand's live ones, all in the session's snapshot.

        Args:
            vectors: of the query, from `embed_query`, asked for before the session was opened: an embedder may be an
                endpoint far away, which is not waited for with a connection in hand. None: words only.
            limit: results returned, in order, those cut from the context included.
            for_staff: whether ``internal`` passages may be found, where the configuration names them. Visitors never
                see them, whatever is configured.
        """
        clock = _Clock()
        connection = await driver_connection(session)
        scope = Scope(tenant_id, brand_id, Filters(config.filters.tags, _visible(config, for_staff=for_staff)))
        text = query.strip()[:MAX_QUESTION]
        size = await read_size(connection, tenant_id, brand_id)
        self._note_former(size)
        question = await understand(connection, self._tables, scope, text, size)
        clock.stage("normalise", _described(question))
        lexical = await _lexical_candidates(connection, scope, question)
        clock.stage("lexical", {"candidates": _pairs(lexical)})
        queries = _vector_queries(vectors, text, scope, size, config)
        search = _Search(session, connection, scope, question, config, clock)
        nearest = await self._nearest(search, queries)
        fused, cosines = await self._fused(search, lexical, nearest, queries)
        result = await _chosen(search, fused, cosines, limit)
        RETRIEVAL_SECONDS.observe(result.took_ms / 1000)
        return result

    async def embed_query(self, query: str) -> list[QuestionVector]:
        """Embed a question for `retrieve`; an embedder that fails or takes too long is left out, never fatal.

        Which language a question is in depends on the brand's, so an embedder is left out here only when the text has
        no Latin letter and it cannot know it; `retrieve` has the last word.
        """
        text = query.strip()[:MAX_QUESTION]
        language = detect_language(text)
        asked = [one for one in self._asked() if text and (knows(one, language) or _LATIN.search(text))]
        found = await asyncio.gather(*(_embedded(embedder, text) for embedder in asked))
        return [vector for vector in found if vector is not None]

    def _asked(self) -> list[Embedder]:
        now = time.monotonic()
        return [*self.embedders, *(one for one in self._former if now < self._serves_until[one.id])]

    def _note_former(self, size: BrandSize) -> None:
        """Go on asking a former embedder while brands that still have its vectors are searched."""
        for one in self._former:
            if one.id in size.embedded:
                self._serves_until[one.id] = time.monotonic() + _FORMER_SECONDS

    async def _nearest(self, search: "_Search", vectors: Sequence[VectorQuery]) -> list[tuple[UUID, float]]:
        """Search every embedder's vectors; the first one's candidates are the ones that rank."""
        nearest: list[tuple[UUID, float]] = []
        for position, query in enumerate(vectors):
            checked = bool(query.filters.tags)
            found = await self.store.search(search.session, query, _VECTOR_CANDIDATES, checked=checked)
            role = "ranks" if position == 0 else "beside"
            search.clock.stage("vector", {"embedder": query.embedder, "role": role, "candidates": _pairs(found)})
            if position == 0:
                nearest = found
        return nearest

    async def _fused(
        self,
        search: "_Search",
        lexical: Sequence[tuple[UUID, float]],
        nearest: Sequence[tuple[UUID, float]],
        vectors: Sequence[VectorQuery],
    ) -> tuple[list[FusedPassage], dict[UUID, float] | None]:
        question, scope = search.question, search.scope
        ids = list(dict.fromkeys(passage for passage, _ in [*lexical, *nearest]))
        candidates = await rescore(search.connection, scope, ids, question.stems, question.grams) if ids else []
        kept = {candidate.id for candidate in candidates}
        if vectors and sum(passage in kept for passage, _ in nearest) * _MOSTLY_HIDDEN < len(nearest):
            nearest = await self.store.search(search.session, vectors[0], _VECTOR_CANDIDATES, checked=True)
            ids += [passage for passage, _ in nearest if passage not in ids]
            candidates = await rescore(search.connection, scope, ids, question.stems, question.grams)
        search.clock.stage("filter", _filtered(scope, ids, candidates))
        cosines = await self._cosines(search, nearest, vectors, candidates)
        fused = fuse(candidates, cosines, search.config.hybrid_weight)
        weight = search.config.hybrid_weight if cosines else 0.0
        search.clock.stage("fuse", {"weight": weight, "order": _order(fused)})
        return fused, cosines

    async def _cosines(
        self,
        search: "_Search",
        nearest: Sequence[tuple[UUID, float]],
        vectors: Sequence[VectorQuery],
        candidates: Sequence[ScoredPassage],
    ) -> dict[UUID, float] | None:
        """Return every candidate's cosine: those the search gave, and those of passages found by words alone."""
        if not vectors or not candidates:
            return None
        known = dict(nearest)
        missing = [candidate.id for candidate in candidates if candidate.id not in known]
        known |= await self.store.scores(search.session, vectors[0], missing) if missing else {}
        return {candidate.id: known[candidate.id] for candidate in candidates if candidate.id in known} or None


async def _embedded(embedder: Embedder, text: str) -> QuestionVector | None:
    try:
        async with asyncio.timeout(EMBED_SECONDS):
            return QuestionVector(embedder, await embedder.embed_query(text))
    except (XinError, TimeoutError) as error:
        reason = error.detail if isinstance(error, XinError) else f"no answer in {EMBED_SECONDS:g} s"
        log.warning("embedder failed; searching without it", embedder=embedder.id, reason=reason)
        return None


def _vector_queries(
    vectors: Sequence[QuestionVector], text: str, scope: Scope, size: BrandSize, config: RetrievalConfig
) -> list[VectorQuery]:
    """The vectors to search by: of the embedders that know the question's language and cover the brand.

    Complete ones come in order, then others by coverage; the first ranks.
    """
    if not size.passages or not config.hybrid_weight:
        return []
    language = detect_language(text, among=size.languages, default=size.main_language)
    known = [(size.coverage(one.embedder.id, one.embedder.languages), one) for one in vectors]
    known = [pair for pair in known if pair[0] >= _COVERED and knows(pair[1].embedder, language)]
    return [
        VectorQuery(scope.brand_id, one.embedder.id, one.vector, size.passages, scope.filters)
        for _, one in sorted(known, key=lambda pair: -pair[0])
    ]


@dataclass(frozen=True, slots=True)
class _Search:
    """What the stages of one retrieval share."""

    session: TenantReader
    connection: AsyncConnection[Any]
    scope: Scope
    question: Question
    config: RetrievalConfig
    clock: _Clock


async def _chosen(
    search: _Search, fused: Sequence[FusedPassage], cosines: Mapping[UUID, float] | None, limit: int
) -> RetrievalResult:
    question, config, clock = search.question, search.config, search.clock
    shown = [passage.id for passage in fused[: max(limit, _EVIDENCE_PASSAGES)]]
    stored = await load_passages(search.connection, search.scope.tenant_id, shown)
    signals = _signals(question, fused, stored, cosines)
    score = round(evidence(signals), 4)
    answerable = bool(fused) and score >= config.min_score
    clock.stage("evidence", {"evidence": score, "min_score": config.min_score, "signals": _rounded(signals)})
    results = choose(fused[:limit], stored, config, answerable=answerable)
    cut = [
        {"rank": result.rank, "passage_id": str(result.passage_id), "why": result.cut}
        for result in results
        if result.cut
    ]
    clock.stage("choose", {"answerable": answerable, "cut": cut})
    return RetrievalResult(
        question.text, question.language, tuple(results), score, answerable, tuple(clock.stages), clock.total
    )


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


def _signals(
    question: Question,
    fused: Sequence[FusedPassage],
    stored: Mapping[UUID, StoredPassage],
    cosines: Mapping[UUID, float] | None,
) -> dict[str, float]:
    rows = [stored[passage.id] for passage in fused[:_EVIDENCE_PASSAGES] if passage.id in stored]
    if not rows:
        return {}
    top = [analyse_passage(row.title, row.heading_path, row.text, question.language) for row in rows]
    best = max(fused, key=lambda passage: passage.lexical)
    signals = lexical_signals(question, top, best.lexical)
    if cosines:
        signals |= vector_signals(sorted(cosines.values(), reverse=True), cosines.get(best.id, 0.0))
    return signals


def _rounded(signals: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in signals.items()}


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
        {
            "passage_id": str(p.id),
            "score": round(p.score, 4),
            "lexical": round(p.lexical, 4),
            "vector": None if p.vector is None else round(p.vector, 4),
        }
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


def _visible(config: RetrievalConfig, *, for_staff: bool) -> tuple[str, ...]:
    return tuple(seen for seen in config.filters.visibility if for_staff or seen == "public")
