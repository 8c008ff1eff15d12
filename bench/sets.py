"""The judged question sets: read where they lie, never copied into the repository."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHARED_VARIABLE = "XIN_TEST_SHARED_DIR"
SHARED = Path(os.environ.get(SHARED_VARIABLE) or Path(__file__).parents[2] / "shared")
SET_NAMES = ("wixqa160", "techqa480", "stackfaq", "scifact", "xquad_es", "pquad", "persianqa", "clinc150")
_MAX_TITLE = 500


class SetsMissing(Exception):
    """The folder of question sets is not there; the message says where it was looked for."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document as the set gives it; `label` is its intent where the set has labels instead of judgements."""

    id: str
    title: str
    text: str
    label: str | None = None

    @property
    def shown_title(self) -> str:
        """The title, or the text's beginning where there is none (the API asks for one)."""
        return (self.title or self.text).strip()[:_MAX_TITLE]


@dataclass(frozen=True, slots=True)
class Query:
    """A question; `answers` are gold texts (labels in a labelled set)."""

    id: str
    text: str
    language: str
    answerable: bool
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """One set: `relevant` gives each judged query its documents and their grades."""

    name: str
    documents: Sequence[Document]
    queries: Sequence[Query]
    relevant: Mapping[str, Mapping[str, int]]

    @property
    def language(self) -> str:
        """The language of its questions."""
        return self.queries[0].language

    @property
    def labelled(self) -> bool:
        """Whether documents carry labels instead of judgements."""
        return not self.relevant


def sets_present() -> bool:
    """Whether the shared folder of question sets is there."""
    return (SHARED / "quality").is_dir()


def load_set(name: str) -> QuestionSet:
    """Read a set.

    Raises:
        SetsMissing: the shared folder, or the set in it, is not there.
    """
    folder = SHARED / "quality" / name
    if not folder.is_dir():
        raise SetsMissing(f"no question set at {folder}; set {SHARED_VARIABLE} to the shared folder")
    labels = dict(_rows(folder / "labels.tsv")) if (folder / "labels.tsv").exists() else {}
    relevant: dict[str, dict[str, int]] = defaultdict(dict)
    for query, document, grade in _rows(folder / "qrels.tsv"):
        relevant[query][document] = int(grade)
    documents = [Document(d["id"], d["title"], d["text"], labels.get(d["id"])) for d in _lines(folder / "corpus.jsonl")]
    queries = [
        Query(q["id"], q["text"], q["lang"], q["answerable"], tuple(q["answers"]))
        for q in _lines(folder / "queries.jsonl")
    ]
    return QuestionSet(name, documents, queries, dict(relevant))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as source:
        for line in source:
            yield json.loads(line)


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8") as source:
        for line in source:
            if line.strip():
                yield line.rstrip("\n").split("\t")
