"""Retrieval: understand the question, find by words and by meaning, score, fuse, weigh the evidence, choose."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from chatbot.core.errors import Unavailable, XinError
from chatbot.core.logging import get_logger
from chatbot.core.metrics import RETRIEVAL_SECONDS
from chatbot.db.sessions import TenantReader
from chatbot.knowledge.analysis.languages import detect_language
from chatbot.knowledge.embedding.contract import Embedder, Vectors, knows
from chatbot.knowledge.index.lexical import load_passages
from chatbot.knowledge.index.search import Candidate, Scope, Wanted, search
from chatbot.knowledge.index.statistics import BrandSize
from chatbot.knowledge.index.vectors import Filters, PostgresVectors, VectorQuery, VectorStore
from chatbot.knowledge.retrieval.config import RetrievalConfig
from chatbot.knowledge.retrieval.context import choose
from chatbot.knowledge.retrieval.fusion import FusedPassage, fuse
from chatbot.knowledge.retrieval.judging import judge, looked_at
from chatbot.knowledge.retrieval.question import Question, Reader
from chatbot.knowledge.retrieval.results import RetrievalResult, RetrievedPassage, Stage

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

_ALL_BUT_FEW = 0.9
"""A brand with more of its passages in one language is taken to have text in that one only, for questions in it."""

_SHOWN = 20  # candidates listed in a stage's report
MAX_QUESTION = 4000
"""Characters of a question that are used."""

EMBED_SECONDS = 2.0
"""How long a question waits for its vector; later it is searched for by words alone."""
_GRACE_SECONDS = 0.2
"""An endpoint's own limit comes first, so that its breaker learns of the silence."""

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

    def stage(self, name: str, describe: Callable[[], Mapping[str, Any]]) -> None:
        now = time.perf_counter()
        self.stages.append(Stage(name, round((now - self._last) * 1000, 2), describe))
        self._last = now

    @property
    def total(self) -> float:
        return round((time.perf_counter() - self._begun) * 1000, 2)


class Retriever:
    """Searches brands' knowledge. One per process; of passages only the words of those found last are kept.

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
        self._reader = Reader()

    async def retrieve(
        self,
        session: TenantReader,
        *,
        tenant_id: UUID,
        brand_id: UUID,
        query: str,
        vectors: Sequence[QuestionVector],
        config: RetrievalConfig,
        language: str | None = None,
        limit: int = 10,
        for_staff: bool = False,
        ends: bool = False,
    ) -> RetrievalResult:
        """Find passages for ``query`` among the brand's live ones, all in the session's snapshot.

        Args:
            vectors: of the query, from `embed_query`, asked for before the session was opened: an embedder may be an
                endpoint far away, which is not waited for with a connection in hand. None: words only.
            language: of the question, where the caller knows better than its words tell. Passages in it go first where
                they are evidence by themselves.
            limit: results returned, in order, those cut from the context included.
            for_staff: whether ``internal`` passages may be found, where the configuration names them. Visitors never
                see them, whatever is configured.
            ends: whether the session's transaction may end with this, which saves it a round trip.
        """
        clock = _Clock()
        scope = Scope(tenant_id, brand_id, Filters(config.filters.tags, _visible(config, for_staff=for_staff)))
        text = query.strip()[:MAX_QUESTION]
        question, size = await self._reader.understand(session, brand_id, text)
        self._note_former(size)
        clock.stage("normalise", lambda: _described(question))
        queries = _vector_queries(vectors, text, scope, size, config)
        own = _preferred(language or question.language, size)
        run = _Run(session, scope, question, own, config, clock, ends)
        fused = fuse(await self._candidates(run, queries), config.hybrid_weight)
        clock.stage("fuse", lambda: {"weight": _weight(fused, config), "order": _order(fused)})
        result = await _chosen(run, fused, limit)
        RETRIEVAL_SECONDS.observe(result.took_ms / 1000)
        return result

    async def embed_query(self, query: str, *, failed: set[str] | None = None) -> list[QuestionVector]:
        """Embed a question for `retrieve`; an embedder that fails or takes too long is left out, never fatal.

        Which language a question is in depends on the brand's, so an embedder is left out here only when the text has
        no Latin letter and it cannot know it; `retrieve` has the last word.

        Args:
            failed: ids of embedders that are not asked; those that fail now are added. Whoever asks several times for
                one answer keeps it, and so waits for a silent embedder once.
        """
        text = query.strip()[:MAX_QUESTION]
        language = detect_language(text)
        failed = set() if failed is None else failed
        asked = [one for one in self._asked() if text and (knows(one, language) or _LATIN.search(text))]
        asked = [one for one in asked if one.id not in failed]
        found = await asyncio.gather(*(_embedded(embedder, text) for embedder in asked))
        failed.update(one.id for one, vector in zip(asked, found, strict=True) if vector is None)
        return [vector for vector in found if vector is not None]

    def _asked(self) -> list[Embedder]:
        now = time.monotonic()
        return [*self.embedders, *(one for one in self._former if now < self._serves_until[one.id])]

    def _note_former(self, size: BrandSize) -> None:
        """Go on asking a former embedder while brands that still have its vectors are searched."""
        for one in self._former:
            if one.id in size.embedded:
                self._serves_until[one.id] = time.monotonic() + _FORMER_SECONDS

    async def _candidates(self, run: "_Run", queries: Sequence[VectorQuery]) -> list[Candidate]:
        """Search by words and by the first embedder's vectors, which rank; those of others are only reported beside."""
        wanted = _wanted(run.question, run.language)
        found = await self._found(run, wanted, queries[0] if queries else None)
        nearest = [one for one in found if one.by_meaning is not None]
        if sum(one.lexical is not None for one in nearest) * _MOSTLY_HIDDEN < len(nearest):
            found = await self._found(run, wanted, queries[0], checked=True)
        run.clock.stage("lexical", lambda: {"candidates": _by_words(found)})
        if queries:
            run.clock.stage("vector", lambda: _nearest(queries[0], "ranks", _by_meaning(found)))
        for query in queries[1:]:
            with suppress(Unavailable):
                beside = await self.store.search(
                    run.session, query, _VECTOR_CANDIDATES, checked=bool(query.filters.tags)
                )
                run.clock.stage("vector", partial(_nearest, query, "beside", beside))
        run.clock.stage("filter", lambda: _filtered(run.scope, found))
        return found

    async def _found(
        self, run: "_Run", wanted: Wanted, query: VectorQuery | None, *, checked: bool = False
    ) -> list[Candidate]:
        session, scope = run.session, run.scope
        checked = checked or bool(scope.filters.tags)
        if query is None or self.store.inside:
            return await search(
                session, scope, wanted, words=_LEXICAL_CANDIDATES, vectors=_VECTOR_CANDIDATES, query=query,
                checked=checked,
            )  # fmt: skip
        try:
            near = dict(await self.store.search(session, query, _VECTOR_CANDIDATES, checked=checked))
            found = await search(session, scope, wanted, words=_LEXICAL_CANDIDATES, others=list(near))
            missing = [one.id for one in found if one.id not in near and one.lexical is not None]
            known = near | await self.store.scores(session, query, missing)
        except Unavailable as error:
            log.warning("vector store failed; searching by words", reason=error.detail)
            return await search(session, scope, wanted, words=_LEXICAL_CANDIDATES)
        return [one._replace(cosine=known.get(one.id), by_meaning=near.get(one.id)) for one in found]


async def _embedded(embedder: Embedder, text: str) -> QuestionVector | None:
    try:
        async with asyncio.timeout(EMBED_SECONDS + _GRACE_SECONDS):
            return QuestionVector(embedder, await embedder.embed_query(text))
    except (XinError, TimeoutError) as error:
        reason = error.detail if isinstance(error, XinError) else f"no answer in {EMBED_SECONDS:g} s"
        log.warning("embedder failed; searching without it", embedder=embedder.id, reason=reason)
        return None


def _preferred(language: str, size: BrandSize) -> str | None:
    """The language whose passages go first; None where there are none, or (next to) no others.

    A few others among many are mostly passages whose language was mistaken: lists of names, code.
    """
    return language if 0 < size.languages.get(language, 0) <= _ALL_BUT_FEW * size.passages else None


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
class _Run:
    """What the stages of one retrieval share."""

    session: TenantReader
    scope: Scope
    question: Question
    language: str | None  # passages in it go first
    config: RetrievalConfig
    clock: _Clock
    ends: bool


async def _chosen(run: _Run, fused: Sequence[FusedPassage], limit: int) -> RetrievalResult:
    question, config, clock = run.question, run.config, run.clock
    if run.ends:
        run.session.commit_with_next()
    stored = await load_passages(run.session, looked_at(fused, run.language, limit))
    order, score, signals = judge(question, fused, stored, language=run.language, min_score=config.min_score)
    answerable = bool(fused) and score >= config.min_score
    clock.stage("evidence", lambda: {"evidence": score, "min_score": config.min_score, "signals": _rounded(signals)})
    results = choose(order[:limit], stored, config, answerable=answerable)
    clock.stage("choose", lambda: {"answerable": answerable, "cut": _cut(results)})
    return RetrievalResult(
        question.text, question.language, tuple(results), score, answerable, tuple(clock.stages), clock.total, config
    )


def _wanted(question: Question, language: str | None) -> Wanted:
    """Find by the rarest words only, as many as the budget allows: what common words alone would add ranks last."""
    terms = sorted((count, term) for term, count in question.holding.items() if count > 0)
    rare, fetched = [term for _, term in terms[:1]], sum(count for count, _ in terms[:1])
    for count, term in terms[1:]:
        if fetched + count > _FETCH_BUDGET:
            break
        rare.append(term)
        fetched += count
    both = [term for _, term in terms[:2]] if len(terms) > 1 and terms[0][0] > _FETCH_BUDGET else []
    return Wanted(rare, both, question.stems, question.grams, language)


def _cut(results: Sequence[RetrievedPassage]) -> list[dict[str, Any]]:
    return [
        {"rank": result.rank, "passage_id": str(result.passage_id), "why": result.cut}
        for result in results
        if result.cut
    ]


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


def _by_words(found: Sequence[Candidate]) -> list[dict[str, Any]]:
    return _listed([(one.id, one.by_words) for one in found if one.by_words is not None])


def _by_meaning(found: Sequence[Candidate]) -> list[tuple[UUID, float]]:
    return [(one.id, one.by_meaning) for one in found if one.by_meaning is not None]


def _nearest(query: VectorQuery, role: str, found: Sequence[tuple[UUID, float]]) -> dict[str, Any]:
    return {"embedder": query.embedder, "role": role, "candidates": _listed(found)}


def _listed(found: Sequence[tuple[UUID, float]]) -> list[dict[str, Any]]:
    best = sorted(found, key=lambda pair: (-pair[1], pair[0]))[:_SHOWN]
    return [{"passage_id": str(passage), "score": round(score, 4)} for passage, score in best]


def _weight(fused: Sequence[FusedPassage], config: RetrievalConfig) -> float:
    """The share that vectors had: none where no passage has one."""
    return config.hybrid_weight if any(passage.vector is not None for passage in fused) else 0.0


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


def _filtered(scope: Scope, found: Sequence[Candidate]) -> dict[str, Any]:
    return {
        "brand_id": str(scope.brand_id),
        "tags": list(scope.filters.tags),
        "visibility": list(scope.filters.visibility),
        "candidates": sum(one.by_words is not None or one.by_meaning is not None for one in found),
        "not_live_or_not_visible": [str(one.id) for one in found if one.lexical is None][:_SHOWN],
    }


def _visible(config: RetrievalConfig, *, for_staff: bool) -> tuple[str, ...]:
    return tuple(seen for seen in config.filters.visibility if for_staff or seen == "public")
