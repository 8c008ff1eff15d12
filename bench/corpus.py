"""Text for the speed runs: real documents where the question sets are, else the house's own documentation.

Large amounts are mixed from its sentences.
"""

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.sets import Document, load_set, sets_present

_DOCS = Path(__file__).parents[1]
_HEADING = re.compile(r"^#{1,4} +(.+)$", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_SOURCES = ("scifact", "techqa480", "wixqa160", "stackfaq")
_PASSAGE_WORDS = 140
_SHORTEST, _LONGEST = 4, 60


def documents() -> list[Document]:
    """Return documents that are read in through the API for the turn and ingestion runs."""
    return list(load_set("stackfaq").documents) if sets_present() else _own_sections()


def questions() -> list[str]:
    """Return questions that `documents` answer."""
    if sets_present():
        return [query.text for query in load_set("stackfaq").queries]
    return [document.title for document in _own_sections()]


def search_questions() -> list[str]:
    """Return questions for the mixed passages."""
    if sets_present():
        return [query.text for name in ("scifact", "wixqa160") for query in load_set(name).queries]
    return questions()


def mixed_passages(count: int, seed: int) -> Iterator[str]:
    """Yield passages of about 140 words, each mixed from whole sentences of real documents."""
    chance, sentences = random.Random(seed), _sentences()
    for _ in range(count):
        chosen: list[str] = []
        words = 0
        while words < _PASSAGE_WORDS:
            sentence = chance.choice(sentences)
            chosen.append(sentence)
            words += sentence.count(" ") + 1
        yield " ".join(chosen)


def _sentences() -> Sequence[str]:
    sources = [load_set(name).documents for name in _SOURCES] if sets_present() else [_own_sections()]
    found = [
        sentence
        for documents_of_set in sources
        for document in documents_of_set
        for sentence in _SENTENCE_END.split(document.text.replace("\n", " "))
    ]
    return [sentence for sentence in found if _SHORTEST <= sentence.count(" ") <= _LONGEST]


def _own_sections() -> list[Document]:
    """Cut the checkout's Markdown into one document a section."""
    sections = []
    for path in sorted([*_DOCS.glob("*.md"), *_DOCS.glob("docs/**/*.md")]):
        parts = _HEADING.split(path.read_text())
        for place, (title, text) in enumerate(zip(parts[1::2], parts[2::2], strict=True)):
            if len(text) > 80:
                sections.append(Document(f"{path.name}#{place}", title, text.strip()))
    return sections
