"""Asks a set's questions through the retrieval diagnostics and sums up the answers."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from bench.client import Client, Tenant
from bench.ranking import area_under_roc, mean, ndcg, recall, reciprocal_rank
from bench.sets import Query, QuestionSet
from bench.variants import Variant, variants_of

_PASSAGES = 100
_CONCURRENCY = 4
_SEED = 7


@dataclass(frozen=True, slots=True)
class Answered:
    """One question's outcome: documents in order of their best passage, and the evidence."""

    query: Query
    documents: Sequence[str]
    evidence: float
    took_ms: float


@dataclass(frozen=True, slots=True)
class Quality:
    """A set's figures; None where the set has nothing to measure it by."""

    name: str
    documents: int
    passages: int
    queries: int
    min_score: float
    ndcg: float | None
    recall: float | None
    reciprocal_rank: float | None
    first_hit: float | None
    refused: float | None
    answered: float | None
    auroc: float | None
    median_ms: float
    failed_queries: int
    variants: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the figures, rounded."""
        return {name: round(v, 4) if isinstance(v, float) else v for name, v in asdict(self).items()}


async def measure(
    client: Client, tenant: Tenant, questions: QuestionSet, passages: int, *, limit: int | None, variant_limit: int
) -> Quality:
    """Ask every question of a loaded set, then a sample of them as people mistype them."""
    queries = sample(questions.queries, limit)
    answered = await ask(client, tenant, queries)
    least = await client.least_score(tenant)
    unanswerable = [a.evidence for a in answered if not a.query.answerable]
    answerable = [a.evidence for a in answered if a.query.answerable]
    return Quality(
        name=questions.name,
        documents=len(questions.documents),
        passages=passages,
        queries=len(queries),
        min_score=least,
        **_ranked(questions, answered),
        refused=mean([float(score < least) for score in unanswerable]),
        answered=mean([float(score >= least) for score in answerable]),
        auroc=area_under_roc(answerable, unanswerable),
        median_ms=median(a.took_ms for a in answered),
        failed_queries=len(queries) - len(answered),
        variants={} if questions.labelled else await _variants(client, tenant, questions, queries, variant_limit),
    )


async def ask(client: Client, tenant: Tenant, queries: Sequence[Query], typed: Variant | None = None) -> list[Answered]:
    """Ask questions, a few at a time, as they are or as a variant types them."""
    slots = asyncio.Semaphore(_CONCURRENCY)

    async def one(query: Query) -> Answered:
        async with slots:
            begun = time.perf_counter()
            told = await client.retrieve(tenant, typed(query) if typed else query.text, limit=_PASSAGES)
            took = (time.perf_counter() - begun) * 1000
        ordered = sorted(told["results"], key=lambda result: int(result["rank"]))
        documents = dict.fromkeys(str(result["external_id"]) for result in ordered)
        return Answered(query, list(documents), float(told["evidence"]), took)

    return await asyncio.gather(*(one(query) for query in queries))


def sample(queries: Sequence[Query], limit: int | None) -> list[Query]:
    """Return all, or a seeded sample in the given order."""
    if limit is None or limit >= len(queries):
        return list(queries)
    chosen = set(random.Random(_SEED).sample(range(len(queries)), limit))
    return [query for place, query in enumerate(queries) if place in chosen]


def _ranked(questions: QuestionSet, answered: Sequence[Answered]) -> dict[str, float | None]:
    if questions.labelled:
        return {
            "ndcg": None,
            "recall": None,
            "reciprocal_rank": None,
            "first_hit": _label_accuracy(questions, answered),
        }
    judged = [(a.documents, questions.relevant[a.query.id]) for a in answered if a.query.id in questions.relevant]
    return {
        "ndcg": mean([ndcg(*pair) for pair in judged]),
        "recall": mean([recall(*pair) for pair in judged]),
        "reciprocal_rank": mean([reciprocal_rank(*pair) for pair in judged]),
        "first_hit": mean([reciprocal_rank(*pair, depth=1) for pair in judged]),
    }


def _label_accuracy(questions: QuestionSet, answered: Sequence[Answered]) -> float | None:
    """Return how often the nearest document carries the question's label, over questions that have one here."""
    labels = {document.id: document.label for document in questions.documents}
    hits = [
        float(bool(a.documents) and labels.get(a.documents[0]) in a.query.answers)
        for a in answered
        if a.query.answerable
    ]
    return mean(hits)


async def _variants(
    client: Client, tenant: Tenant, questions: QuestionSet, queries: Sequence[Query], limit: int
) -> dict[str, dict[str, float]]:
    """Compare each variant with the same questions typed well; only what the variant changes is asked."""
    judged = sample([query for query in queries if query.id in questions.relevant], limit or None)
    if not limit:
        return {}
    found = {}
    for name, typed in variants_of(questions.language).items():
        changed = [query for query in judged if typed(query) != query.text]
        if not changed:
            continue
        before = _ranked(questions, await ask(client, tenant, changed))["ndcg"] or 0.0
        after = _ranked(questions, await ask(client, tenant, changed, typed))["ndcg"] or 0.0
        found[name] = {"queries": len(changed), "before": round(before, 4), "after": round(after, 4)}
    return found
