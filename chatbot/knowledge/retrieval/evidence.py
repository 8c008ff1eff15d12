"""Tells from retrieval signals alone how likely the passages found answer the question: a calibrated 0–1 score.

A logistic model per kind of signals, fitted by `bench/evidence.py` on judged sets in three languages, each judged by a
model that never saw it. A subject that is missing altogether is noticed. A near miss (the right subject without the
answer asked for) is noticed when the question names a thing that none of the best passages names ("the Diamond plan");
else mostly not: that needs a reader.
"""

import math
import re
from collections.abc import Mapping, Sequence

from chatbot.knowledge.analysis.folding import fold
from chatbot.knowledge.retrieval.holding import Held
from chatbot.knowledge.retrieval.question import Question, QuestionWord

_LONG_QUESTION = math.log(13)
_GRAMS_TO_MATCH = 0.6  # share of a word's 4-grams that makes it "nearly there"
_NEARLY = 0.8
_SCORE_BOUND = 3.1  # about the most a word can add to the lexical score, in units of its rarity
_HARD = 0.4  # a word matched less than this is missing
_FEW_WORDS = 8  # a question of more words tells a story, with names of its own
_A_HANDFUL = math.log1p(3)  # of so few words each one counts
_SOME_WORDS = 0.2  # with less held in the best passages, it was not by its words that they are near

_FAR = 10  # the passage that is taken for one about something else
_FAR_COSINE = 0.15  # what such a one has at most, where there is none

_TOKEN = re.compile(r"\w+")
_OPENING = re.compile(r"(?:^|[.!?:\n¿¡\"“«(])\s*$")
_CAPITALISED_NOUNS = frozenset({"de"})

# From `bench/evidence.py`, with the intercept under "". The second one's is set so that both refuse alike at 0.3.
# What names weigh was set apart, on judged questions and the same with their rarest word swapped for a foreign name.
_WORDS_ONLY: Mapping[str, float] = {
    "": -8.509,
    "best": 6.234,
    "top3": 1.195,
    "unknown": 1.245,
    "missing": 1.446,
    "mass": -0.929,
    "score": 0.883,
    "length": 1.877,
    "long": -0.579,
    "length_top3": 0.605,
    "length_score": 0.479,
    "name": -4.0,
}
_WITH_VECTORS: Mapping[str, float] = {
    "": -6.2,
    "best": -0.251,
    "top3": 1.417,
    "unknown": -0.088,
    "hard": 0.034,
    "mass": 0.79,
    "score": 0.017,
    "length": -0.733,
    "cosine": 6.419,
    "cosine_lexical": 0.968,
    "cosine_gap": 8.948,
    "name": -3.0,
    "name_long": -0.5,
}


def evidence(signals: Mapping[str, float]) -> float:
    """Return the score from the signals of `lexical_signals` and, when an embedder took part, `vector_signals`.

    Nothing found, no signals: 0.
    """
    if not signals:
        return 0.0
    total = _odds(signals, _WORDS_ONLY)
    if "cosine" in signals:
        near = _odds(signals, _WITH_VECTORS)
        # "Saffron tea" is near all that speaks of saffron, so where a short question shares words with passages, its
        # other words count too. Of 3 words the mean of both told answerable from missing by an AUROC of .998 (.982 and
        # .887 alone); from 4 on, vectors do better by themselves.
        by_words = signals["length"] <= _A_HANDFUL and signals["top3"] > _SOME_WORDS
        total = (total + near) / 2 if by_words else near
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def _odds(signals: Mapping[str, float], coefficients: Mapping[str, float]) -> float:
    return coefficients[""] + sum(weight * signals[name] for name, weight in coefficients.items() if name)


def lexical_signals(question: Question, top: Sequence[Held], lexical: float) -> dict[str, float]:
    """Coverage of the question by the best passage and by the three best, weighed by how rare each word is."""
    matches = [[_match(word, one) for one in top] for word in question.words]
    total = sum(word.rarity for word in question.words) or 1.0
    rarest = max((word.rarity for word in question.words), default=1.0)
    unheld = math.log(1 + (question.passages + 0.5) / 0.5)

    def share(values: Sequence[float]) -> float:
        return sum(word.rarity * value for word, value in zip(question.words, values, strict=True)) / total

    best = share([row[0] for row in matches])
    top3 = share([max(row) for row in matches])
    missing = [word.rarity * (1 - max(row)) for word, row in zip(question.words, matches, strict=True)]
    hard = [word.rarity for word, row in zip(question.words, matches, strict=True) if max(row) < _HARD]
    names = names_in(question.text, question.language)
    unnamed = sum(
        word.rarity
        for word, row in zip(question.words, matches, strict=True)
        if word.word.text in names and max(row) < _HARD
    )
    short = len(question.words) <= _FEW_WORDS
    length, score = math.log1p(len(question.words)), lexical / (total * _SCORE_BOUND)
    return {
        "best": best,
        "top3": top3,
        "unknown": share([_unknown(word) for word in question.words]),
        "missing": max(missing, default=0.0) / rarest,
        "hard": sum(hard) / unheld,
        "mass": math.log1p(best * total),
        "score": score,
        "length": length,
        "long": max(0.0, length - _LONG_QUESTION),
        "length_top3": length * top3,
        "length_score": length * score,
        "name": unnamed / total if short else 0.0,
        "name_long": 0.0 if short else unnamed / total,
    }


def vector_signals(cosines: Sequence[float], of_lexical_best: float) -> dict[str, float]:
    """How near the nearest passage is, absolutely and before the eleventh; ``cosines`` are best first, not empty.

    Where there are fewer, they may all be about what is asked: the last says nothing of what is far away.
    """
    far = cosines[_FAR] if len(cosines) > _FAR else min(cosines[-1], _FAR_COSINE)
    return {"cosine": cosines[0], "cosine_lexical": of_lexical_best, "cosine_gap": cosines[0] - far}


def names_in(text: str, language: str) -> frozenset[str]:
    """The words of a question, folded, that are written like names: capitals within a sentence, or digits in them.

    None where capitals say nothing: German nouns, titles, SHOUTING.
    """
    words = list(_TOKEN.finditer(text))
    names = {word.group() for word in words if _like_a_name(word.group(), text, word.start())}
    if language in _CAPITALISED_NOUNS or len(names) * 2 > len(words):
        return frozenset()
    return frozenset(fold(name) for name in names)


def _like_a_name(word: str, text: str, start: int) -> bool:
    capitals = 0 if word.islower() else sum(map(str.isupper, word))
    if capitals > 1:
        return True
    if not word.isascii() and not capitals:
        return False
    mixed = not word.isalpha() and any(map(str.isdigit, word)) and any(map(str.isalpha, word))
    return mixed or (word[0].isupper() and not _OPENING.search(text, 0, start))


def _match(word: QuestionWord, passage: Held) -> float:
    if word.stem in passage.stems:
        return 1.0
    near = max([similarity for stem, similarity, _ in word.similar if stem in passage.stems], default=0.0)
    shared = sum([gram in passage.grams for gram in word.word.grams]) / len(word.word.grams)
    return max(near, _NEARLY * shared if shared >= _GRAMS_TO_MATCH else 0.0)


def _unknown(word: QuestionWord) -> float:
    if word.holding:
        return 0.0
    return 1.0 - (word.similar[0][1] if word.similar else 0.0)
