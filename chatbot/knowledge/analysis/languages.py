"""Tells the language of a text, short questions included: script first, then small words, then a classifier."""

import re
import unicodedata
from collections.abc import Collection
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

from chatbot.knowledge.analysis.folding import fold
from chatbot.knowledge.analysis.stopwords import STOP_WORDS

_LETTERS = re.compile(r"[^\W\d_]+")
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]")
_PERSIAN_ONLY = re.compile("[پچژگکی\u200c]")
_ARABIC_ONLY = re.compile("[ةى]|\\b(?:ال|وال|بال)\\w{3,}")
_SPANISH_MARKS = re.compile("[¿¡ñáéíóúü]")
_CLASSIFIER_WORDS = 4  # below that many words py3langid guesses
_ALL_BUT_NAMES = 0.85  # share of a text's letters

SURE_OF_LANGUAGE = 120
"""A passage shorter than this, in characters, is taken to be in its document's language."""

_LATIN = ("en", "es")
_SPOKEN = "ar ca cs da de el en es et fa fi fr he hi hr hu id it ja ko nl no pl pt ro ru sk sl sv th tr uk ur vi zh"


def detect_language(text: str, *, among: Collection[str] | None = None, default: str = "en") -> str:
    """Return the two-letter language of ``text``.

    Args:
        text: a question or a passage; only its first 2,000 characters are looked at.
        among: the languages it may be in (those a brand has text in); None for any.
        default: the answer when the text says nothing, such as a product's name alone.
    """
    found = _detect(text[:2000])
    if among is None:
        return found or default
    return found if found and found in among else default


@lru_cache(maxsize=256)
def _detect(text: str) -> str | None:
    """Several stages of a turn ask this of the same question."""
    words = _LETTERS.findall(text)
    letters = "".join(words)
    if not letters:
        return None
    if share := len(_ARABIC.findall(letters)) / len(letters):
        if _frame_is_arabic(words, share):
            return _arabic_script(text)
        words = [word for word in words if not _ARABIC.search(word)]
        letters = "".join(words)
        if not letters:  # nothing but names with a Persian ending, such as `PDFها`
            return _arabic_script(text)
    if not unicodedata.name(letters[0], "").startswith("LATIN"):
        return _classify(text)
    return _latin(text, words)


def _frame_is_arabic(words: list[str], share: float) -> bool:
    """Whether the Arabic letters of a mixed text, this share of all, are its own and the others' are names in it.

    Small words tell, for names keep their script; where they do not, the greater part does.
    """
    if share > _ALL_BUT_NAMES:
        return True
    folded = [fold(word) for word in words]
    latin = sum(word in STOP_WORDS["en"] or word in STOP_WORDS["es"] for word in folded)
    persian = sum(word in STOP_WORDS["fa"] for word in folded)
    return persian > latin if persian != latin else share > 0.5


def _arabic_script(text: str) -> str:
    """Persian unless the text shows Arabic's own letters and articles: Persian is often typed on Arabic keyboards."""
    persian, arabic = len(_PERSIAN_ONLY.findall(text)), len(_ARABIC_ONLY.findall(text))
    small = sum(word in STOP_WORDS["fa"] for word in fold(text).split())
    return "ar" if arabic > persian + small else "fa"


def _latin(text: str, words: list[str]) -> str | None:
    folded = [fold(word) for word in words]
    english, spanish = (sum(word in STOP_WORDS[language] for word in folded) for language in _LATIN)
    spanish += len(_SPANISH_MARKS.findall(text.lower())[:3])
    small_words = max(english, spanish)
    if english != spanish and small_words >= 2 and small_words * 6 >= len(words):
        return "en" if english > spanish else "es"
    if len(words) >= _CLASSIFIER_WORDS:
        return _classify(text)
    if english != spanish:
        return "en" if english > spanish else "es"
    return None


def _classify(text: str) -> str:
    # Loaded on first use: the classifier's model costs 0.4 s and most texts are decided without it.
    language, _score = _classifier().classify(text)
    return str(language)


@cache
def _classifier() -> Any:
    """The classifier, kept to languages that people are answered in: a price list is not Nigerian Pidgin."""
    classifier = import_module("py3langid")
    classifier.set_languages(_SPOKEN.split())
    return classifier
