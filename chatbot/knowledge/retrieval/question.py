"""Understands a question: its words, how rare each is here, what misspelt ones may mean, and the query vectors."""

import re
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from uuid import UUID

from chatbot.core.cache import TimedCache
from chatbot.db.sessions import TenantReader
from chatbot.knowledge.analysis.languages import detect_language
from chatbot.knowledge.analysis.words import Analysis, Word, analyse, term_key
from chatbot.knowledge.index.grams import GramTables
from chatbot.knowledge.index.lexical import SimilarWord, similar_words
from chatbot.knowledge.index.statistics import BrandSize, read_counts
from chatbot.knowledge.index.weighting import gram_share, inverse_frequency, repeated, sparse_literal, stem_dimension

_MAX_WORDS = 200  # distinct words of a question that are looked at
_MAX_UNKNOWN = 6  # unknown words whose neighbours are looked up
_LEAST_LETTERS = 4
_LEAST_SIMILARITY = 0.4
_NEIGHBOURS = 3
_UNKNOWN_GRAMS = 1.5  # what 4-grams of a word held nowhere count beside the others; 1, 1.5, 2, 3 measured
_REMEMBERED_SECONDS = 3600.0
_NUMBER = re.compile(r"^\d+$")


@dataclass(frozen=True, slots=True)
class QuestionWord:
    """A distinct word: how often it is said, how many passages hold it, and its neighbours when none does."""

    word: Word
    count: int
    holding: int
    rarity: float  # idf; that of a word held nowhere when `holding` is 0
    similar: tuple[SimilarWord, ...] = ()

    @property
    def stem(self) -> str:
        return self.word.stem


@dataclass(frozen=True, slots=True)
class Question:
    """A question ready to be asked: both halves of the BM25 query and the terms to find candidates by."""

    text: str
    language: str
    words: tuple[QuestionWord, ...]
    passages: int
    holding: Mapping[int, int]  # term key to passages, of every term that is asked for
    stems: str
    grams: str

    @property
    def normalised(self) -> str:
        """The stems that are looked up, in the order asked."""
        return " ".join(word.stem for word in self.words)


class Reader:
    """Understands questions. One per process; remembers of each brand what seldom changes between questions."""

    def __init__(self) -> None:
        self._tables = GramTables()
        self._sizes: TimedCache[UUID, BrandSize] = TimedCache(_REMEMBERED_SECONDS)

    async def understand(self, session: TenantReader, brand_id: UUID, text: str) -> tuple[Question, BrandSize]:
        """Analyse ``text`` in its own language if the brand has text in it, else in the brand's main one.

        Its words are counted in the statement that reads the brand's size, on the guess that the brand's languages are
        those of the question before; they are counted again when that was wrong.
        """
        guessed = self._sizes.get(brand_id) or BrandSize()
        analysis = _analysed(text, guessed)
        size, known = await read_counts(session, brand_id, _keys(brand_id, analysis))
        if _language(text, size) != analysis.language:
            analysis = _analysed(text, size)
            size, known = await read_counts(session, brand_id, _keys(brand_id, analysis))
        self._sizes.put(brand_id, size)
        words = await _words(session, brand_id, analysis, size, known)
        stems, holding = _asked_stems(brand_id, words, size)
        unknown = {gram for word in words if not word.holding for gram in word.word.grams}
        grams = await _asked_grams(session, self._tables, brand_id, analysis, size, unknown)
        literals = sparse_literal(stems), sparse_literal(grams)
        return Question(text, analysis.language, words, size.passages, holding, *literals), size


def _analysed(text: str, size: BrandSize) -> Analysis:
    return analyse(text, _language(text, size))


def _language(text: str, size: BrandSize) -> str:
    return detect_language(text, among=size.languages or None, default=size.main_language)


_LEAST_PASSAGES = 30
"""Of fewer passages how many hold a word says little of how rare it is: in one page every word is in all of them."""


def _distinct(analysis: Analysis) -> list[Word]:
    first: dict[str, Word] = {}
    for word in analysis.words:
        first.setdefault(word.stem, word)
    return list(first.values())[:_MAX_WORDS]


def _keys(brand_id: UUID, analysis: Analysis) -> list[int]:
    return [term_key(brand_id, word.stem) for word in _distinct(analysis)]


async def _words(
    session: TenantReader, brand_id: UUID, analysis: Analysis, size: BrandSize, known: Mapping[int, int]
) -> tuple[QuestionWord, ...]:
    counts = analysis.stems
    held = {word: known.get(term_key(brand_id, word.stem), 0) for word in _distinct(analysis)}
    passages = max(size.passages, _LEAST_PASSAGES)
    unknown = [word.stem for word, holding in held.items() if not holding and _may_be_misspelt(word.stem)]
    similar = await similar_words(session, brand_id, unknown[:_MAX_UNKNOWN], least=_LEAST_SIMILARITY, most=_NEIGHBOURS)
    return tuple(
        QuestionWord(word, counts[word.stem], holding, inverse_frequency(passages, holding), similar.get(word.stem, ()))
        for word, holding in held.items()
    )


def _may_be_misspelt(stem: str) -> bool:
    return len(stem) >= _LEAST_LETTERS and not _NUMBER.match(stem)


def _asked_stems(
    brand_id: UUID, words: tuple[QuestionWord, ...], size: BrandSize
) -> tuple[dict[int, float], dict[int, int]]:
    asked: dict[int, float] = {}
    holding: dict[int, int] = {}

    def ask(stem: str, weight: float, passages: int) -> None:
        asked[stem_dimension(stem)] = asked.get(stem_dimension(stem), 0.0) + weight
        holding[term_key(brand_id, stem)] = passages

    for word in words:
        if word.holding:
            ask(word.stem, repeated(word.count) * word.rarity, word.holding)
        for stem, similarity, passages in word.similar:
            weight = repeated(word.count) * similarity * inverse_frequency(size.passages, passages)
            ask(stem, weight, passages)
    return asked, holding


async def _asked_grams(
    session: TenantReader,
    tables: GramTables,
    brand_id: UUID,
    analysis: Analysis,
    size: BrandSize,
    unknown: Set[int],
) -> dict[int, float]:
    counts: Counter[int] = analysis.grams
    if not counts or not size.passages:
        return {}
    table = await tables.get(session, brand_id, size)
    grams, share = list(counts), gram_share(analysis.language)
    holding = table.holding(grams, size.passages)
    return {
        gram: share
        * (_UNKNOWN_GRAMS if gram in unknown else 1.0)
        * repeated(counts[gram])
        * inverse_frequency(size.passages, float(held))
        for gram, held in zip(grams, holding, strict=True)
        if held > 0
    }
