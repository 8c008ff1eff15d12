"""What a passage holds, in the forms in which questions are held against it; remembered by the text itself."""

from functools import lru_cache
from itertools import chain
from re import compile as pattern
from typing import NamedTuple, Self

from chatbot.knowledge.analysis.words import Analysis
from chatbot.knowledge.index.weighting import analyse_passage

_REMEMBERED = 1024
"""The passages found last; each takes about 30 kB so. The same few answer most of a brand's questions."""

_WORDS = pattern(r"\w+")


class Held(NamedTuple):
    """The stems of a text, and its words' 4-grams."""

    stems: frozenset[str]
    grams: frozenset[int]

    @classmethod
    def of(cls, analysis: Analysis) -> Self:
        """What an analysed text holds."""
        words = analysis.words
        return cls(
            frozenset([word.stem for word in words]), frozenset(chain.from_iterable([word.grams for word in words]))
        )


@lru_cache(maxsize=_REMEMBERED)
def held_by(title: str, headings: tuple[str, ...], text: str, language: str) -> Held:
    """What a passage holds for a question in ``language``."""
    return Held.of(analyse_passage(title, headings, text, language))


@lru_cache(maxsize=_REMEMBERED)
def distinct_words(text: str) -> frozenset[str]:
    """The words of a text as they are written, in small letters."""
    return frozenset(_WORDS.findall(text.lower()))
