"""Understands a question: its words, how rare each is here, what misspelt ones may mean, and the query vectors."""

import re
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from chatbot.knowledge.analysis.languages import detect_language
from chatbot.knowledge.analysis.words import Analysis, Word, analyse, term_key
from chatbot.knowledge.index.grams import GramTables
from chatbot.knowledge.index.lexical import Scope, similar_words
from chatbot.knowledge.index.statistics import BrandSize, term_counts
from chatbot.knowledge.index.weighting import gram_share, inverse_frequency, repeated, sparse_literal, stem_dimension

_MAX_WORDS = 200  # distinct words of a question that are looked at
_MAX_UNKNOWN = 6  # unknown words whose neighbours are looked up
_LEAST_LETTERS = 4
_LEAST_SIMILARITY = 0.4
_NEIGHBOURS = 3
_UNKNOWN_GRAMS = 1.5  # what 4-grams of a word held nowhere count beside the others; 1, 1.5, 2, 3 measured
_NUMBER = re.compile(r"^\d+$")


@dataclass(frozen=True, slots=True)
class QuestionWord:
    """A distinct word: how often it is said, how many passages hold it, and its neighbours when none does."""

    word: Word
    count: int
    holding: int
    rarity: float  # idf; that of a word held nowhere when `holding` is 0
    similar: tuple[tuple[str, float, int], ...] = ()

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


async def understand(
    connection: AsyncConnection[Any], tables: GramTables, scope: Scope, text: str, size: BrandSize
) -> Question:
    """Analyse ``text`` in its own language if the brand has text in it, else in the brand's main one."""
    language = detect_language(text, among=size.languages or None, default=size.main_language)
    analysis = analyse(text, language)
    words = await _words(connection, scope, analysis, size)
    stems, holding = _asked_stems(scope.brand_id, words, size)
    unknown = {gram for word in words if not word.holding for gram in word.word.grams}
    grams = await _asked_grams(connection, tables, scope, analysis, size, unknown)
    return Question(text, language, words, size.passages, holding, sparse_literal(stems), sparse_literal(grams))


async def _words(
    connection: AsyncConnection[Any], scope: Scope, analysis: Analysis, size: BrandSize
) -> tuple[QuestionWord, ...]:
    first: dict[str, Word] = {}
    for word in analysis.words:
        first.setdefault(word.stem, word)
    counts = analysis.stems
    distinct = list(first.values())[:_MAX_WORDS]
    keys = {word.stem: term_key(scope.brand_id, word.stem) for word in distinct}
    known = await term_counts(connection, scope.tenant_id, scope.brand_id, list(keys.values()))
    words, unknown = [], 0
    for word in distinct:
        holding = known.get(keys[word.stem], 0)
        similar: tuple[tuple[str, float, int], ...] = ()
        if not holding and unknown < _MAX_UNKNOWN and _may_be_misspelt(word.stem):
            unknown += 1
            found = await similar_words(
                connection, scope.brand_id, word.stem, least=_LEAST_SIMILARITY, most=_NEIGHBOURS
            )
            similar = tuple(found)
        rarity = inverse_frequency(size.passages, holding)
        words.append(QuestionWord(word, counts[word.stem], holding, rarity, similar))
    return tuple(words)


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
    connection: AsyncConnection[Any],
    tables: GramTables,
    scope: Scope,
    analysis: Analysis,
    size: BrandSize,
    unknown: Set[int],
) -> dict[int, float]:
    counts: Counter[int] = analysis.grams
    if not counts or not size.passages:
        return {}
    table = await tables.get(connection, scope.tenant_id, scope.brand_id, size)
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
