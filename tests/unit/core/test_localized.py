"""Dates and mixed directions in plain text."""

import unicodedata
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.core.localized import clock, day, day_and_time, isolate, jalali, line, number


@pytest.mark.parametrize(
    ("gregorian", "expected"),
    [
        (date(1979, 2, 11), (1357, 11, 22)),
        (date(2000, 1, 1), (1378, 10, 11)),
        (date(2017, 3, 20), (1395, 12, 30)),
        (date(2017, 3, 21), (1396, 1, 1)),
        (date(2021, 3, 20), (1399, 12, 30)),
        (date(2024, 3, 19), (1402, 12, 29)),
        (date(2025, 3, 20), (1403, 12, 30)),
        (date(2026, 11, 25), (1405, 9, 4)),
        (date(2030, 3, 20), (1408, 12, 30)),
    ],
)
def test_known_days_of_the_solar_hijri_calendar(gregorian: date, expected: tuple[int, int, int]) -> None:
    assert jalali(gregorian) == expected


@given(st.dates(date(1900, 1, 1), date(2090, 1, 1)))
def test_the_next_day_is_the_next_day(today: date) -> None:
    (year, month, of_month), following = jalali(today), jalali(today + timedelta(days=1))
    days = 31 if month < 7 else 30
    expected = {(year, month, of_month + 1)} if of_month < days else {(year + month // 12, month % 12 + 1, 1)}
    if (month, of_month) == (12, 29):
        expected = {(year, 12, 30), (year + 1, 1, 1)}
    assert following in expected


def test_a_day_and_a_time_in_each_language() -> None:
    moment = datetime(2026, 11, 25, 14, 5, tzinfo=UTC)
    assert [day(moment, language) for language in ("en", "es", "fa", "de")] == [
        "25 November 2026", "25 de noviembre de 2026", "۴ آذر ۱۴۰۵", "2026-11-25",
    ]  # fmt: skip
    assert (day_and_time(moment, "fa"), day_and_time(moment, "en")) == ("۴ آذر ۱۴۰۵، ۱۴:۰۵", "25 November 2026, 14:05")
    assert (clock(moment, "en"), clock(moment, "fa"), number(120, "fa")) == ("14:05", "۱۴:۰۵", "۱۲۰")


def test_a_persian_line_runs_from_right_to_left_whatever_stands_in_it() -> None:
    said = line(f"{isolate('Ann (VIP)', 'fa')} · 14:05", "fa")
    assert unicodedata.bidirectional(said[0]) == "R"
    assert line("14:05", "en") == "14:05"


def test_a_value_cannot_leave_its_line_or_turn_it_round() -> None:
    assert isolate("a\u202eb\u2069c\nd\r\n\x00e", "fa") == "\u2068a b c d e\u2069"


def test_only_what_is_mixed_is_kept_apart() -> None:
    assert isolate("Ann (VIP)", "en") == "Ann (VIP)"
    assert isolate("سارا", "en") == "\u2068سارا\u2069"
