"""Measures of a ranking against judgements, and of a score that should tell answerable from not."""

import math
from collections.abc import Mapping, Sequence


def ndcg(ranked: Sequence[str], grades: Mapping[str, int], depth: int = 10) -> float:
    """Return normalised discounted cumulative gain with linear gains (Järvelin and Kekäläinen 2002)."""
    gained = sum(grades.get(document, 0) / math.log2(place + 2) for place, document in enumerate(ranked[:depth]))
    best = sorted(grades.values(), reverse=True)[:depth]
    ideal = sum(grade / math.log2(place + 2) for place, grade in enumerate(best))
    return gained / ideal if ideal else 0.0


def recall(ranked: Sequence[str], grades: Mapping[str, int], depth: int = 5) -> float:
    """Return which part of the relevant documents stands among the first."""
    relevant = {document for document, grade in grades.items() if grade > 0}
    return len(relevant & set(ranked[:depth])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranked: Sequence[str], grades: Mapping[str, int], depth: int = 10) -> float:
    """Return 1 / place of the first relevant document, 0 below `depth`."""
    for place, document in enumerate(ranked[:depth], start=1):
        if grades.get(document, 0) > 0:
            return 1 / place
    return 0.0


def area_under_roc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """Return how often a positive scores above a negative (ties count half); None without both (Mann-Whitney)."""
    if not positive or not negative:
        return None
    merged = sorted([(score, True) for score in positive] + [(score, False) for score in negative])
    ranks, place = 0.0, 0
    while place < len(merged):
        tied = place
        while tied < len(merged) and merged[tied][0] == merged[place][0]:
            tied += 1
        mean_rank = (place + 1 + tied) / 2
        ranks += mean_rank * sum(is_positive for _, is_positive in merged[place:tied])
        place = tied
    return (ranks - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative))


def mean(values: Sequence[float]) -> float | None:
    """Return the mean; None of nothing."""
    return sum(values) / len(values) if values else None
