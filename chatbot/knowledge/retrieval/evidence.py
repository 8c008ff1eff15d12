"""Tells from retrieval signals alone how likely the passages found answer the question: a calibrated 0–1 score.

A logistic model per kind of signals, fitted by `bench/evidence.py` on judged sets in three languages, each judged by a
model that never saw it. A subject that is missing altogether is noticed; a near miss (the right subject without the
answer asked for) mostly is not: that needs a reader.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import chain

from chatbot.knowledge.analysis.words import Analysis
from chatbot.knowledge.retrieval.question import Question, QuestionWord

_LONG_QUESTION = math.log(13)
_GRAMS_TO_MATCH = 0.6  # share of a word's 4-grams that makes it "nearly there"
_NEARLY = 0.8
_SCORE_BOUND = 3.1  # about the most a word can add to the lexical score, in units of its rarity
_HARD = 0.4  # a word matched less than this is missing

# From `bench/evidence.py`, with the intercept under "". The second one's is set so that both refuse alike at 0.3.
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
}
_WITH_VECTORS: Mapping[str, float] = {
    "": -6.32,
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
}


def evidence(signals: Mapping[str, float]) -> float:
    """Return the score from the signals of `lexical_signals` and, when an embedder took part, `vector_signals`.

    Nothing found, no signals: 0.
    """
    if not signals:
        return 0.0
    coefficients = _WITH_VECTORS if "cosine" in signals else _WORDS_ONLY
    total = coefficients[""] + sum(weight * signals[name] for name, weight in coefficients.items() if name)
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def lexical_signals(question: Question, top: Sequence[Analysis], lexical: float) -> dict[str, float]:
    """Coverage of the question by the best passage and by the three best, weighed by how rare each word is."""
    sets = [
        ({word.stem for word in one.words}, set(chain.from_iterable([word.grams for word in one.words]))) for one in top
    ]
    matches = [[_match(word, stems, grams) for stems, grams in sets] for word in question.words]
    total = sum(word.rarity for word in question.words) or 1.0
    rarest = max((word.rarity for word in question.words), default=1.0)
    unheld = math.log(1 + (question.passages + 0.5) / 0.5)

    def share(values: Sequence[float]) -> float:
        return sum(word.rarity * value for word, value in zip(question.words, values, strict=True)) / total

    best = share([row[0] for row in matches])
    top3 = share([max(row) for row in matches])
    missing = [word.rarity * (1 - max(row)) for word, row in zip(question.words, matches, strict=True)]
    hard = [word.rarity for word, row in zip(question.words, matches, strict=True) if max(row) < _HARD]
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
    }


def vector_signals(cosines: Sequence[float], of_lexical_best: float) -> dict[str, float]:
    """How near the nearest passage is, absolutely and before the eleventh; ``cosines`` are best first, not empty."""
    return {
        "cosine": cosines[0],
        "cosine_lexical": of_lexical_best,
        "cosine_gap": cosines[0] - cosines[min(10, len(cosines) - 1)],
    }


def _match(word: QuestionWord, stems: set[str], grams: set[int]) -> float:
    if word.stem in stems:
        return 1.0
    near = max((similarity for stem, similarity, _ in word.similar if stem in stems), default=0.0)
    shared = sum(gram in grams for gram in word.word.grams) / len(word.word.grams)
    return max(near, _NEARLY * shared if shared >= _GRAMS_TO_MATCH else 0.0)


def _unknown(word: QuestionWord) -> float:
    if word.holding:
        return 0.0
    return 1.0 - (word.similar[0][1] if word.similar else 0.0)
