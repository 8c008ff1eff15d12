"""Cuts text into words with their stem and character 4-grams: the units that are indexed and asked for."""

import re
import threading
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

import Stemmer

from chatbot.knowledge.analysis.folding import fold, fold_accents
from chatbot.knowledge.analysis.stopwords import STOP_WORDS

GRAM = 4
GRAM_DIMENSIONS = 1_000_000_000  # the most pgvector's sparsevec allows

_WORD = re.compile(r"\w+(?:'\w+)?")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
# Persian has no stemmer here on purpose: Snowball's helps on one kind of text and hurts on another.
_STEMMERS = {"en": "english", "es": "spanish"}
_NO_WORDS: frozenset[str] = frozenset()
_per_thread = threading.local()


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text: ``stem`` is what is looked up, ``grams`` are dimensions of the gram vector."""

    text: str
    stem: str
    grams: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Analysis:
    """The words of a text that carry meaning, in their order; ``length`` is their number."""

    language: str
    words: tuple[Word, ...]

    @property
    def length(self) -> int:
        return len(self.words)

    @property
    def stems(self) -> Counter[str]:
        return Counter([word.stem for word in self.words])

    @property
    def grams(self) -> Counter[int]:
        return Counter([gram for word in self.words for gram in word.grams])


def analyse(text: str, language: str) -> Analysis:
    """Fold, cut, drop stop words and stem ``text`` as ``language`` (``en``, ``es``, ``fa``; any other is plain)."""
    stops = STOP_WORDS.get(language, _NO_WORDS)
    return Analysis(language, tuple([_word(token, language) for token in _tokens(fold(text)) if token not in stops]))


def term_key(brand_id: UUID, stem: str) -> int:
    """The signed 64-bit key of a stem within one brand; stable over processes and versions (BLAKE2b)."""
    return int.from_bytes(blake2b(stem.encode(), digest_size=8, key=brand_id.bytes).digest(), "big", signed=True)


def _tokens(folded: str) -> list[str]:
    tokens = _WORD.findall(folded)
    if folded.isascii() or not _CJK.search(folded):
        return tokens
    return [piece for token in tokens for piece in _pieces(token)]


def _pieces(token: str) -> list[str]:
    """Chinese, Japanese and Korean write no spaces: cut such tokens into overlapping pairs."""
    if len(token) < 3 or not _CJK.search(token):
        return [token]
    return [token[i : i + 2] for i in range(len(token) - 1)]


@lru_cache(maxsize=1 << 17)
def _word(token: str, language: str) -> Word:
    plain = fold_accents(token)
    return Word(token, fold_accents(_stem(token, language)), tuple([zlib.crc32(g.encode()) % GRAM_DIMENSIONS for g in _grams(plain)]))


def _stem(token: str, language: str) -> str:
    name = _STEMMERS.get(language)
    if name is None:
        return token
    # A Stemmer object is not safe to share between threads.
    stemmers: dict[str, Stemmer.Stemmer] | None = getattr(_per_thread, "stemmers", None)
    if stemmers is None:
        stemmers = _per_thread.stemmers = {}
    if name not in stemmers:
        stemmers[name] = Stemmer.Stemmer(name)
    return str(stemmers[name].stemWord(token))


def _grams(word: str) -> list[str]:
    padded = f"_{word}_"
    return [padded[i : i + GRAM] for i in range(max(1, len(padded) - GRAM + 1))]
