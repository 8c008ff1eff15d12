"""The same questions as people type them: Arabic letters, no ZWNJ, typing errors. Deterministic."""

import random
import re
from collections.abc import Callable, Mapping

from bench.sets import Query

_SEED = 20261121
_ZWNJ = "\u200c"
_TO_ARABIC = str.maketrans({"ی": "ي", "ک": "ك", "ۀ": "ة"})
_FINAL_HEH = re.compile(r"ه(?=\W|$)")
_WORD = re.compile(r"[^\W\d_]+")
_MISSPELT_WORDS = 2
_SHORTEST = 4
_LETTERS = {
    "fa": "ابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهی",
    "es": "abcdefghijlmnopqrstuvz",
    "en": "abcdefghijklmnopqrstuvwxyz",
}

Variant = Callable[[Query], str]


def with_arabic_letters(query: Query) -> str:
    """Write ي ك ة for ی ک and final ه, and a space where the ZWNJ was, as an Arabic keyboard gives it."""
    return _FINAL_HEH.sub("ة", query.text.replace(_ZWNJ, " ")).translate(_TO_ARABIC)


def without_zwnj(query: Query) -> str:
    """Leave the ZWNJ out, so that the parts of a word run together."""
    return query.text.replace(_ZWNJ, "")


def with_typing_errors(query: Query) -> str:
    """Misspell the two longest words by one edit each: letters swapped, one lost, doubled or wrong."""
    chance = random.Random(f"{_SEED}:{query.id}")
    words = [match for match in _WORD.finditer(query.text) if len(match.group()) >= _SHORTEST]
    longest = sorted(words, key=lambda match: (-len(match.group()), match.start()))[:_MISSPELT_WORDS]
    text = query.text
    for match in sorted(longest, key=lambda match: -match.start()):
        wrong = _misspelt(match.group(), chance, _LETTERS.get(query.language, _LETTERS["en"]))
        text = text[: match.start()] + wrong + text[match.end() :]
    return text


def variants_of(language: str) -> Mapping[str, Variant]:
    """Return the variants that make sense in a language, by name."""
    if language == "fa":
        return {"arabic letters": with_arabic_letters, "no ZWNJ": without_zwnj, "typos": with_typing_errors}
    return {"typos": with_typing_errors}


def _misspelt(word: str, chance: random.Random, letters: str) -> str:
    """Edit once, never the first letter: people rarely miss it."""
    place = chance.randrange(1, len(word) - 1)
    match chance.randrange(4):
        case 0:
            return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        case 1:
            return word[:place] + word[place + 1 :]
        case 2:
            return word[:place] + word[place] + word[place:]
        case _:
            return word[:place] + chance.choice(letters) + word[place + 1 :]
