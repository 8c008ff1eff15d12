"""Loads judged question sets into a throw-away tenant through the real indexing code, and scores rankings."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np

from chatbot.core.ids import new_id
from chatbot.db.models import Brand, KnowledgeSource, Tenant
from chatbot.db.sessions import Database
from chatbot.knowledge.embedding.contract import Embedder, Vectors
from chatbot.knowledge.index.drafts import EmbeddedPassages, PassageDraft, SourceVersion
from chatbot.knowledge.index.embed import passage_text
from chatbot.knowledge.index.passages import index_passages
from chatbot.knowledge.index.vectors import PostgresVectors

LANGUAGES = {
    "wixqa160": "en",
    "techqa480": "en",
    "stackfaq": "en",
    "scifact": "en",
    "xquad_es": "es",
    "pquad": "fa",
    "persianqa": "fa",
}
_PASSAGE_WORDS = 180


@dataclass(frozen=True, slots=True)
class Document:
    id: str
    title: str
    passages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    id: str
    text: str
    answerable: bool
    relevant: frozenset[str]


@dataclass(frozen=True, slots=True)
class QuestionSet:
    name: str
    language: str
    documents: tuple[Document, ...]
    queries: tuple[Query, ...]

    def only(self, ids: Iterable[str]) -> "QuestionSet":
        kept = set(ids)
        return QuestionSet(self.name, self.language, tuple(d for d in self.documents if d.id in kept), self.queries)


def read_set(folder: Path, name: str) -> QuestionSet:
    """Read one folder of the judged sets."""
    relevant: dict[str, set[str]] = {}
    for line in (folder / name / "qrels.tsv").read_text().splitlines():
        query, document, grade = line.split("\t")[:3]
        if grade not in {"0", "relevance"}:
            relevant.setdefault(query, set()).add(document)
    documents = [json.loads(line) for line in (folder / name / "corpus.jsonl").open()]
    queries = [json.loads(line) for line in (folder / name / "queries.jsonl").open()]
    return QuestionSet(
        name,
        LANGUAGES.get(name, "en"),
        tuple(Document(d["id"], d["title"], tuple(_cut(_body(d["title"], d["text"])))) for d in documents),
        tuple(Query(q["id"], q["text"], q["answerable"], frozenset(relevant.get(q["id"], ()))) for q in queries),
    )


def _body(title: str, text: str) -> str:
    body = text.strip().removeprefix("Title:").strip()
    return body.removeprefix(title.strip()).strip().removeprefix("Text:").strip()


def _cut(text: str) -> list[str]:
    """Cut into passages of about 180 words at sentence ends."""
    passages: list[list[str]] = [[]]
    for sentence in re.split(r"(?<=[.!?؟])\s+|\n+", text):
        words = sentence.split()
        for start in range(0, len(words), _PASSAGE_WORDS):
            piece = words[start : start + _PASSAGE_WORDS]
            if passages[-1] and len(passages[-1]) + len(piece) > _PASSAGE_WORDS:
                passages.append([])
            passages[-1].extend(piece)
    return [" ".join(words) for words in passages]


class EmbeddingCache:
    """Vectors by text, kept on disk between runs."""

    remote = False

    def __init__(self, file: Path, embedder: Embedder) -> None:
        self.id, self.dimensions, self.languages = embedder.id, embedder.dimensions, embedder.languages
        self._file, self._embedder = file, embedder
        self._known: dict[str, Vectors] = {}
        if file.exists():
            with np.load(file, allow_pickle=False) as data:
                self._known = dict(zip(data["texts"].tolist(), data["vectors"], strict=True))

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            self._known.update(zip(missing, await self._embedder.embed_passages(missing), strict=True))
        return np.array([self._known[text] for text in texts], np.float32)

    async def embed_query(self, text: str) -> Vectors:
        return np.asarray((await self.embed_passages([text]))[0], np.float32)

    def save(self) -> None:
        np.savez(self._file, texts=np.array(list(self._known)), vectors=np.array(list(self._known.values())))


async def make_brand(database: Database, name: str) -> tuple[UUID, UUID]:
    """Make a tenant with one brand; returns both ids."""
    tenant, brand = new_id(), new_id()
    async with database.platform() as session:
        session.add(Tenant(id=tenant, name=name, default_brand_id=brand, timezone="UTC", attributes={}, embed_theme={}))
        await session.flush()
        session.add(Brand(tenant_id=tenant, id=brand, name=name))
    return tenant, brand


async def load_set(
    database: Database, tenant: UUID, brand: UUID, questions: QuestionSet, embedder: Embedder | None
) -> dict[str, UUID]:
    """Index every document; returns source ids by document id."""
    sources: dict[str, UUID] = {}
    for start in range(0, len(questions.documents), 40):
        part = questions.documents[start : start + 40]
        texts = [passage_text(d.title, (), text) for d in part for text in d.passages]
        vectors = iter(await embedder.embed_passages(texts)) if embedder else None
        async with database.tenant(tenant) as session:
            for document in part:
                source = KnowledgeSource(
                    tenant_id=tenant, brand_id=brand, kind="text", external_id=document.id, status="ready",
                    title=document.title[:500], version=1, live_version=1, tags=[],
                )  # fmt: skip
                session.add(source)
                await session.flush()
                sources[document.id] = source.id
                drafts = [PassageDraft(i, text, questions.language) for i, text in enumerate(document.passages)]
                embedded = []
                if vectors is not None and embedder is not None:
                    embedded = [
                        EmbeddedPassages(embedder.id, embedder.dimensions, {d.ordinal: next(vectors) for d in drafts})
                    ]
                where = SourceVersion(brand, source.id, 1, document.title)
                await index_passages(session, where, drafts, vectors=embedded, store=PostgresVectors())
    return sources


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over the judged questions of a set."""

    ndcg10: float
    recall5: float
    mrr10: float
    first: float


def score(rankings: Mapping[str, Sequence[str]], queries: Iterable[Query]) -> Scores:
    """Score rankings of document ids by question id; questions without a relevant document are left out."""
    rows = [_score(rankings[query.id], query.relevant) for query in queries if query.relevant]
    means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    return Scores(*means)


def _score(ranking: Sequence[str], relevant: frozenset[str]) -> tuple[float, float, float, float]:
    gain = sum(1 / math.log2(i + 2) for i, document in enumerate(ranking[:10]) if document in relevant)
    ideal = sum(1 / math.log2(i + 2) for i in range(min(10, len(relevant))))
    reciprocal = next((1 / (i + 1) for i, document in enumerate(ranking[:10]) if document in relevant), 0.0)
    first = float(bool(ranking) and ranking[0] in relevant)
    return gain / ideal, len(relevant & set(ranking[:5])) / len(relevant), reciprocal, first
