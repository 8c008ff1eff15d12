"""Fits the evidence models: asks judged questions through the real retrieval, prints coefficients and what they refuse.

    python -m bench.evidence <folder of judged sets> <data folder>

Questions without an answer come from four sources: those judged impossible, those whose documents were taken away,
those of another set, and out-of-scope remarks (clinc150).

Each set is judged by a model fitted on the others. Small knowledge
bases (3 to 50 documents) are drawn from each set, because a demo has no more.
"""

import asyncio
import random
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import update

from bench.judged import LANGUAGES, EmbeddingCache, QuestionSet, load_set, make_brand, read_set
from chatbot.db.bootstrap import create_bundled_database, prepare_database
from chatbot.db.models import KnowledgeSource
from chatbot.db.server import BundledPostgres
from chatbot.db.sessions import Database, TenantSession
from chatbot.knowledge.embedding.minilm import MiniLmEmbedder
from chatbot.knowledge.retrieval.config import RetrievalConfig
from chatbot.knowledge.retrieval.service import Retriever

WORDS_ONLY = ("best", "top3", "unknown", "missing", "mass", "score", "length", "long", "length_top3", "length_score")
WITH_VECTORS = ("best", "top3", "unknown", "hard", "mass", "score", "length", "cosine", "cosine_lexical", "cosine_gap")
_PER_SET = 300
_FOREIGN = 30
_SMALL_SIZES = (4, 8, 15, 30, 50)
_KIND_WEIGHTS = {"answerable": 2.0, "missing": 0.7, "impossible": 0.7, "other set": 0.5, "out of scope": 0.5}
_RIDGE = 1.0


@dataclass(frozen=True, slots=True)
class Row:
    set: str
    kind: str
    small: bool
    vectors: bool
    signals: dict[str, float]


class Asker:
    """Asks one brand, with and without the embedder, and keeps the signals."""

    def __init__(self, database: Database, questions: QuestionSet, embedder: EmbeddingCache, rows: list[Row]) -> None:
        self.database, self.questions, self.rows = database, questions, rows
        self.embedder = embedder if questions.language == "en" else None
        self.retrievers = [Retriever()] + ([Retriever([embedder])] if self.embedder else [])
        self.tenant = self.brand = UUID(int=0)
        self.sources: dict[str, UUID] = {}

    async def load(self) -> None:
        self.tenant, self.brand = await make_brand(self.database, self.questions.name)
        self.sources = await load_set(self.database, self.tenant, self.brand, self.questions, self.embedder)

    async def ask(self, text: str, kind: str, *, small: bool, without: frozenset[str] = frozenset()) -> None:
        gone = [self.sources[document] for document in without if document in self.sources]
        for retriever in self.retrievers:
            vectors = await retriever.embed_query(text)
            async with TenantRollback(self.database, self.tenant) as session:
                if gone:
                    hidden = update(KnowledgeSource).where(KnowledgeSource.id.in_(gone)).values(live_version=None)
                    await session.execute(hidden)
                result = await retriever.retrieve(
                    session, tenant_id=self.tenant, brand_id=self.brand, query=text, vectors=vectors,
                    config=RetrievalConfig(), limit=3,
                )  # fmt: skip
            signals = next(dict(s.detail["signals"]) for s in result.stages if s.name == "evidence")
            if signals:
                self.rows.append(Row(self.questions.name, kind, small, "cosine" in signals, signals))


class TenantRollback:
    """A tenant's transaction that is always rolled back."""

    def __init__(self, database: Database, tenant: UUID) -> None:
        self._context = database.tenant(tenant)

    async def __aenter__(self) -> TenantSession:
        return await self._context.__aenter__()

    async def __aexit__(self, *_: object) -> None:
        undone = _Undone()
        with suppress(_Undone):
            await self._context.__aexit__(_Undone, undone, None)


class _Undone(Exception):
    """Ends a transaction whose changes are not wanted."""


async def ask_set(asker: Asker, foreign: dict[str, list[str]], rng: random.Random, *, small: bool) -> None:
    """Ask a sample of a set's own questions, and foreign ones."""
    here = set(asker.sources)
    own = [q for q in asker.questions.queries if not q.answerable or q.relevant]
    inside = [q for q in own if q.relevant & here]
    outside = [q for q in own if q.answerable and not q.relevant & here]
    impossible = [] if small else [q for q in own if not q.answerable]
    most = 10 if small else _PER_SET
    for query in rng.sample(inside, min(most, len(inside))):
        await asker.ask(query.text, "answerable", small=small)
        if not small:
            await asker.ask(query.text, "missing", small=small, without=query.relevant)
    for query in rng.sample(outside, min(5, len(outside))):
        await asker.ask(query.text, "missing", small=small)
    for query in rng.sample(impossible, min(most, len(impossible))):
        await asker.ask(query.text, "impossible", small=small)
    for kind, texts in foreign.items():
        for text in rng.sample(texts, min(3 if small else _FOREIGN * 2, len(texts))):
            await asker.ask(text, kind, small=small)


async def collect(folder: Path, data: Path) -> list[Row]:
    """Ask everything; takes minutes."""
    server = BundledPostgres(data)
    server.start()
    create_bundled_database(server.url)
    prepare_database(server.url)
    rng, rows = random.Random(7), list[Row]()
    sets = {name: read_set(folder, name) for name in LANGUAGES}
    scope = [query.text for query in read_set(folder, "clinc150").queries if not query.answerable]
    embedder = EmbeddingCache(data / "embedded.npz", MiniLmEmbedder(data / "models"))
    async with Database(server.url, pool_size=2) as database:
        for name, questions in sets.items():
            others = [
                q.text for n, s in sets.items() if n != name and s.language == questions.language for q in s.queries
            ]
            foreign = {"other set": others} | ({"out of scope": scope} if questions.language == "en" else {})
            relevant = sorted({document for query in questions.queries for document in query.relevant})
            parts = [(questions, False)]
            parts += [(questions.only(rng.sample(relevant, size)), True) for size in _SMALL_SIZES for _ in range(4)]
            for part, small in parts:
                asker = Asker(database, part, embedder, rows)
                await asker.load()
                await ask_set(asker, foreign, rng, small=small)
            embedder.save()
            print(name, len(rows), flush=True)
    server.stop()
    return rows


Array = NDArray[np.float64]


def fit(signals: Array, answerable: Array, weights: Array) -> Array:
    """Fit a ridge logistic regression by Newton's method; returns the intercept and the raw coefficients."""
    mean, spread = signals.mean(0), signals.std(0) + 1e-9
    x = np.hstack([np.ones((len(signals), 1)), (signals - mean) / spread])
    beta = np.zeros(x.shape[1])
    ridge = np.diag([0.0] + [_RIDGE] * signals.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ beta))
        gradient = x.T @ (weights * (answerable - p)) - ridge @ beta
        beta += np.linalg.solve(x.T @ (x * (weights * p * (1 - p))[:, None]) + ridge, gradient)
    raw = beta[1:] / spread
    return np.concatenate([[beta[0] - raw @ mean], raw])


def table(rows: list[Row], names: tuple[str, ...]) -> tuple[Array, Array, Array]:
    """Return signals, labels and weights; each kind of question of each set weighs the same."""
    counts = Counter((row.set, row.kind, row.small) for row in rows)
    signals = np.array([[row.signals[name] for name in names] for row in rows])
    labels = np.array([float(row.kind == "answerable") for row in rows])
    weights = np.array([_KIND_WEIGHTS[row.kind] / counts[row.set, row.kind, row.small] for row in rows])
    return signals, labels, weights / weights.mean()


def report(rows: list[Row], names: tuple[str, ...], threshold_for: float) -> None:
    """Judge each set by the others' model at the threshold that answers ``threshold_for`` of each set or more."""
    signals, labels, weights = table(rows, names)
    sets = np.array([row.set for row in rows])
    held_out = np.zeros(len(rows))
    for name in set(sets):
        beta = fit(signals[sets != name], labels[sets != name], weights[sets != name])
        held_out[sets == name] = 1 / (1 + np.exp(-(beta[0] + signals[sets == name] @ beta[1:])))
    beta = fit(signals, labels, weights)
    inside = 1 / (1 + np.exp(-(beta[0] + signals @ beta[1:])))
    full = np.array([row.kind == "answerable" and not row.small for row in rows])
    low = {name: float(np.quantile(held_out[full & (sets == name)], 1 - threshold_for)) for name in set(sets)}
    print({name: round(value, 3) for name, value in sorted(low.items())})
    for threshold in sorted({round(min(low.values()), 3), 0.2, 0.25, 0.3, 0.35, 0.4}):
        print(f"threshold {threshold}")
        for name in sorted(set(sets)):
            line = [f"  {name:10s}"]
            for kind in _KIND_WEIGHTS:
                for small in (False, True):
                    at = np.array([r.set == name and r.kind == kind and r.small == small for r in rows])
                    if at.any():
                        a, b = (held_out[at] >= threshold).mean(), (inside[at] >= threshold).mean()
                        if kind != "answerable":
                            a, b = 1 - a, 1 - b
                        line.append(f"{kind}{' (small)' if small else ''} {a:.2f} [{b:.2f}]")
            print(" | ".join(line))
    print({"": round(float(beta[0]), 3)} | {n: round(float(c), 3) for n, c in zip(names, beta[1:], strict=True)})


def main() -> None:
    rows = asyncio.run(collect(Path(sys.argv[1]), Path(sys.argv[2])))
    for vectors, names in ((False, WORDS_ONLY), (True, WITH_VECTORS)):
        print(
            "WITH VECTORS" if vectors else "WORDS ONLY",
            "(share right, by a model that did not see the set [by the final one])",
        )
        report([row for row in rows if row.vectors == vectors], names, 0.9)


if __name__ == "__main__":
    main()
