"""The benchmarks' own arithmetic: measures against known values, variants that change what they say."""

import math

import pytest

from bench.figures import Figure, percentile
from bench.ranking import area_under_roc, ndcg, recall, reciprocal_rank
from bench.sets import Query
from bench.variants import variants_of, with_arabic_letters, with_typing_errors, without_zwnj


def test_ndcg_discounts_by_place() -> None:
    grades = {"a": 1, "b": 1}
    assert ndcg(["a", "b", "c"], grades) == pytest.approx(1.0)
    expected = (1 / math.log2(3) + 1 / math.log2(4)) / (1 + 1 / math.log2(3))
    assert ndcg(["c", "a", "b"], grades) == pytest.approx(expected)
    assert ndcg([], grades) == 0.0


def test_recall_and_first_place() -> None:
    grades = {"a": 1, "b": 1, "zero": 0}
    assert recall(["a", "x", "y", "z", "w", "b"], grades, depth=5) == 0.5
    assert reciprocal_rank(["x", "a"], grades) == 0.5
    assert reciprocal_rank(["x", "zero"], grades) == 0.0


def test_auroc_counts_ties_half() -> None:
    assert area_under_roc([0.9, 0.8], [0.1, 0.2]) == 1.0
    assert area_under_roc([0.5], [0.5]) == 0.5
    assert area_under_roc([0.1], [0.9]) == 0.0
    assert area_under_roc([], [0.9]) is None


def test_percentiles_by_nearest_rank() -> None:
    assert percentile(list(range(1, 101)), 0.95) == 95
    assert percentile([], 0.5) == 0.0
    assert Figure.of([3, 1, 2]) == Figure(2, 1, 3)


def _query(text: str, language: str = "fa") -> Query:
    return Query("q1", text, language, answerable=True, answers=())


def test_persian_with_arabic_letters_and_without_zwnj() -> None:
    query = _query("کتاب‌های مدرسه ملی")
    assert with_arabic_letters(query) == "كتاب هاي مدرسة ملي"
    assert without_zwnj(query) == "کتابهای مدرسه ملی"


def test_typing_errors_are_the_same_in_every_run() -> None:
    query = _query("How do I remove strikethrough formatting here", "en")
    first = with_typing_errors(query)
    assert first == with_typing_errors(query)
    assert first != query.text
    assert first.split()[:3] == ["How", "do", "I"]
    assert set(variants_of("es")) == {"typos"}
