"""Opening hours: the week, its time zone, days on which the clock jumps, and counting in open minutes."""

from datetime import UTC, date, datetime, time, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chatbot.identity.policies.hours import OpeningHours
from chatbot.identity.policies.schemas import Hours, OpenHours, Weekday

WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
MADRID = ZoneInfo("Europe/Madrid")
TEHRAN = ZoneInfo("Asia/Tehran")


def span(day: Weekday, opens: str, closes: str) -> OpenHours:
    return OpenHours(day=day, opens=opens, closes=closes)


def week(*spans: OpenHours, zone: str = "Europe/Madrid") -> OpeningHours:
    return OpeningHours.of(Hours(open=spans), zone)


OFFICE = week(*(span(day, "09:00", "17:00") for day in WEEKDAYS[:5]))
ALWAYS = week()
AROUND_THE_CLOCK = week(*(span(day, "00:00", "24:00") for day in WEEKDAYS))


def madrid(*when: int, fold: int = 0) -> datetime:
    return datetime(*when, tzinfo=MADRID, fold=fold)  # type: ignore[misc,arg-type]


# --- the week ---------------------------------------------------------------------------------------------------------


def test_without_spans_it_is_always_open() -> None:
    at = datetime(2026, 11, 25, 3, tzinfo=UTC)
    assert ALWAYS.open_now(at)
    assert ALWAYS.next_open(at) is None
    assert ALWAYS.add_open_minutes(at, 90) == at + timedelta(minutes=90)
    assert ALWAYS.open_minutes_between(at, at + timedelta(days=2)) == 2 * 24 * 60


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (madrid(2026, 11, 25, 8, 59, 59), False),
        (madrid(2026, 11, 25, 9), True),
        (madrid(2026, 11, 25, 16, 59, 59), True),
        (madrid(2026, 11, 25, 17), False),
        (madrid(2026, 11, 28, 12), False),
    ],
)
def test_a_span_holds_its_beginning_and_not_its_end(at: datetime, is_open: bool) -> None:
    assert OFFICE.open_now(at) is is_open
    assert OFFICE.open_now(at.astimezone(UTC)) is is_open


def test_friday_evening_waits_for_monday_morning() -> None:
    evening = madrid(2026, 11, 27, 17, 30)
    assert OFFICE.next_open(evening) == madrid(2026, 11, 30, 9)
    assert OFFICE.add_open_minutes(evening, 60) == madrid(2026, 11, 30, 10)
    assert OFFICE.open_minutes_between(evening, madrid(2026, 11, 30, 9, 15)) == 15


def test_minutes_are_counted_over_nights() -> None:
    start = madrid(2026, 11, 25, 16)
    assert OFFICE.add_open_minutes(start, 60) == madrid(2026, 11, 25, 17)
    assert OFFICE.add_open_minutes(start, 61) == madrid(2026, 11, 26, 9, 1)
    assert OFFICE.open_minutes_between(start, madrid(2026, 12, 2, 16)) == 5 * 8 * 60


def test_a_week_with_one_span_opens_again_a_week_later() -> None:
    mondays = week(span("mon", "10:00", "10:30"))
    assert mondays.next_open(madrid(2026, 11, 30, 10, 30)) == madrid(2026, 12, 7, 10)
    assert mondays.add_open_minutes(madrid(2026, 11, 30, 10, 15), 45) == madrid(2026, 12, 7, 10, 30)


def test_spans_may_overlap_touch_and_stand_in_any_order() -> None:
    mixed = week(span("wed", "13:00", "15:00"), span("wed", "09:00", "14:00"), span("wed", "15:00", "16:00"))
    morning = madrid(2026, 11, 25, 8)
    assert mixed.open_minutes_between(morning, madrid(2026, 11, 26, 8)) == 7 * 60
    assert mixed.add_open_minutes(morning, 6 * 60 + 30) == madrid(2026, 11, 25, 15, 30)


def test_midnight_is_the_end_of_a_day() -> None:
    nights = week(span("tue", "22:00", "24:00"), span("wed", "00:00", "06:00"))
    assert nights.open_now(madrid(2026, 11, 25, 0))
    assert nights.open_minutes_between(madrid(2026, 11, 24, 12), madrid(2026, 11, 25, 12)) == 8 * 60
    assert AROUND_THE_CLOCK.open_minutes_between(madrid(2026, 11, 24, 12), madrid(2026, 11, 25, 12)) == 24 * 60
    assert AROUND_THE_CLOCK.next_open(madrid(2026, 11, 24, 23, 59, 59)) is None


@pytest.mark.parametrize(("opens", "closes"), [("24:00", "24:00"), ("09:00", "24:01"), ("10:00", "10:00")])
def test_impossible_spans_are_refused(opens: str, closes: str) -> None:
    with pytest.raises(ValidationError):
        span("mon", opens, closes)


def test_the_policys_own_zone_goes_before_the_tenants() -> None:
    hours = Hours(timezone="Asia/Tehran", open=(span("sat", "08:00", "16:00"),))
    opening = OpeningHours.of(hours, "Europe/Madrid")
    assert opening.next_open(datetime(2026, 11, 27, tzinfo=UTC)) == datetime(2026, 11, 28, 8, tzinfo=TEHRAN)


def test_hours_that_never_suffice_end_after_ten_years() -> None:
    minute = week(span("mon", "10:00", "10:01"))
    start = madrid(2026, 11, 30, 12)
    assert minute.add_open_minutes(start, 60 * 24 * 30) == start.astimezone(UTC) + timedelta(days=3660)


# --- days on which the clock jumps: 29 March 2026 02:00 to 03:00, 25 October 2026 03:00 to 02:00 ----------------------


def test_a_day_of_23_or_25_hours_has_as_many_open_ones() -> None:
    sundays = week(span("sun", "00:00", "24:00"))
    assert sundays.open_minutes_between(madrid(2026, 3, 28), madrid(2026, 3, 31)) == 23 * 60
    assert sundays.open_minutes_between(madrid(2026, 10, 24), madrid(2026, 10, 27)) == 25 * 60


def test_hours_follow_the_wall_not_utc() -> None:
    assert OFFICE.next_open(madrid(2026, 3, 28, 12)) == datetime(2026, 3, 30, 7, tzinfo=UTC)
    assert OFFICE.next_open(madrid(2026, 10, 24, 12)) == datetime(2026, 10, 26, 8, tzinfo=UTC)


def test_an_hour_that_is_missing_opens_when_the_clock_has_jumped() -> None:
    jump = datetime(2026, 3, 29, 1, tzinfo=UTC)
    early = week(span("sun", "02:30", "05:00"))
    assert early.next_open(madrid(2026, 3, 29, 0)) == jump
    assert early.open_minutes_between(madrid(2026, 3, 29, 0), madrid(2026, 3, 29, 12)) == 2 * 60


def test_a_span_within_the_missing_hour_is_none() -> None:
    gone = week(span("sun", "02:10", "02:50"))
    assert gone.next_open(madrid(2026, 3, 29, 0)) == madrid(2026, 4, 5, 2, 10)


def test_an_hour_that_comes_twice_opens_and_closes_once() -> None:
    twice = week(span("sun", "01:00", "02:30"))
    assert twice.open_now(madrid(2026, 10, 25, 2, 29))
    assert not twice.open_now(madrid(2026, 10, 25, 2, 29, fold=1))
    assert twice.open_minutes_between(madrid(2026, 10, 25, 0), madrid(2026, 10, 25, 12)) == 90


# --- for any week, zone and moment ------------------------------------------------------------------------------------


CLOCK = st.integers(0, 24 * 60 - 1)
ZONES = st.sampled_from(["UTC", "Europe/Madrid", "Asia/Tehran", "America/Santiago", "Australia/Lord_Howe", "Asia/Gaza"])
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
MINUTES = st.integers(0, 60 * 24 * 20)


def _words(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


@st.composite
def _spans(draw: st.DrawFn) -> OpenHours:
    opens = draw(CLOCK)
    closes = draw(st.integers(opens + 1, 24 * 60))
    return span(draw(st.sampled_from(WEEKDAYS)), _words(opens), _words(closes))


LONG = st.builds(lambda day, opens: span(day, _words(opens), "24:00"), st.sampled_from(WEEKDAYS), st.integers(0, 1200))
WEEKS = st.builds(lambda spans, long, zone: week(*spans, long, zone=zone), st.lists(_spans(), max_size=6), LONG, ZONES)


def _plain_open(opening: OpeningHours, at: datetime) -> bool:
    """The rule said once more, without intervals: the wall's time lies in a span of its weekday."""
    wall = at.astimezone(opening.zone)
    day, clock = WEEKDAYS[wall.weekday()], wall.strftime("%H:%M")
    return any(each.day == day and each.opens <= clock < each.closes for each in opening.spans)


def _steady(opening: OpeningHours, day: date) -> bool:
    midnights = [datetime.combine(day + timedelta(days=n), time(), opening.zone).utcoffset() for n in (0, 1)]
    return midnights[0] == midnights[1]


@given(WEEKS, MOMENTS)
def test_open_is_what_the_wall_says_on_days_without_a_jump(opening: OpeningHours, at: datetime) -> None:
    if _steady(opening, at.astimezone(opening.zone).date()):
        assert opening.open_now(at) is _plain_open(opening, at)


@given(WEEKS, MOMENTS)
def test_the_next_opening_is_open_and_all_before_it_is_closed(opening: OpeningHours, at: datetime) -> None:
    opens = opening.next_open(at)
    if opens is None:
        assert opening.open_now(at)
    else:
        assert opens > at
        assert opening.open_now(opens)
        assert opening.open_minutes_between(at, opens) == 0


@given(WEEKS, MOMENTS, MINUTES)
def test_what_was_added_is_what_lies_between(opening: OpeningHours, start: datetime, minutes: int) -> None:
    end = opening.add_open_minutes(start, minutes)
    assert opening.open_minutes_between(start, end) == pytest.approx(minutes)
    assert end - start >= timedelta(minutes=minutes)


@given(WEEKS, MOMENTS, MINUTES, MINUTES)
def test_minutes_between_add_up_and_never_exceed_the_clock(
    opening: OpeningHours, a: datetime, first: int, second: int
) -> None:
    b = a + timedelta(minutes=first)
    c = b + timedelta(minutes=second)
    whole = opening.open_minutes_between(a, c)
    assert whole == pytest.approx(opening.open_minutes_between(a, b) + opening.open_minutes_between(b, c))
    assert 0 <= whole <= first + second
    assert opening.open_minutes_between(c, a) == 0


@given(WEEKS, MOMENTS, MINUTES, MINUTES)
def test_adding_twice_is_adding_the_sum(opening: OpeningHours, start: datetime, first: int, second: int) -> None:
    twice = opening.add_open_minutes(opening.add_open_minutes(start, first), second)
    assert abs(twice - opening.add_open_minutes(start, first + second)) < timedelta(milliseconds=1)
