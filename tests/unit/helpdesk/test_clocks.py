"""The clocks of tickets: open hours only, standing still while the requester is waited for, breached once late."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.helpdesk.tickets.clocks import Clock, begin, meet, pause, promise, reopen, resume, worst
from chatbot.identity.policies.hours import OpeningHours
from chatbot.identity.policies.schemas import Hours, OpenHours, Sla, TenantPolicy, Weekday

ALWAYS = OpeningHours.of(Hours(), "UTC")
WORKDAYS: tuple[Weekday, ...] = get_args(Weekday)[:5]
OFFICE = OpeningHours.of(
    Hours(open=tuple(OpenHours(day=day, opens="09:00", closes="17:00") for day in WORKDAYS)), "UTC"
)
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)  # a Friday
MONDAY = datetime(2026, 11, 30, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_a_clock_runs_in_open_hours_only() -> None:
    clock = begin(8 * 60, OFFICE, NOON)
    assert clock.due_at == MONDAY + timedelta(hours=12)
    assert clock.state(MONDAY) == "ok"
    assert clock.state(MONDAY + timedelta(hours=12, minutes=1)) == "breached"


def test_without_a_promise_there_is_no_state() -> None:
    clock = begin(None, OFFICE, NOON)
    for change in (pause, resume, reopen):
        assert change(clock, OFFICE, NOON) == clock
    assert meet(clock, OFFICE, NOON) == Clock(met_at=NOON)
    assert reopen(meet(clock, OFFICE, NOON), OFFICE, NOON) == clock
    assert clock.state(NOON) is None
    assert worst([clock, clock], NOON) is None


def test_the_last_fifth_is_soon_and_never_less_than_a_quarter_of_an_hour() -> None:
    day, quick = begin(1000, ALWAYS, NOON), begin(20, ALWAYS, NOON)
    assert [day.state(after(at)) for at in (799, 800, 1000, 1001)] == ["ok", "due_soon", "due_soon", "breached"]
    assert [quick.state(after(at)) for at in (4, 5)] == ["ok", "due_soon"]


def test_a_stopped_clock_keeps_what_is_left_over_a_weekend() -> None:
    stopped = pause(begin(8 * 60, OFFICE, NOON), OFFICE, NOON + timedelta(hours=2))
    assert (stopped.due_at, stopped.left, stopped.state(MONDAY)) == (None, 6 * 60, "paused")
    assert resume(stopped, OFFICE, MONDAY + timedelta(hours=9)).due_at == MONDAY + timedelta(hours=15)


def test_late_stays_late() -> None:
    clock = begin(60, ALWAYS, NOON)
    assert pause(clock, ALWAYS, after(61)) == clock
    assert meet(clock, ALWAYS, after(61)).state(after(999)) == "breached"
    assert reopen(meet(clock, ALWAYS, after(61)), ALWAYS, after(90)) == clock


def test_what_is_met_in_time_stays_met_and_the_first_time_counts() -> None:
    met = meet(begin(60, ALWAYS, NOON), ALWAYS, after(59))
    assert met.state(after(999)) == "met"
    assert meet(met, ALWAYS, after(61)) == met


def test_a_stopped_clock_is_met_in_time() -> None:
    stopped = pause(begin(60, ALWAYS, NOON), ALWAYS, after(30))
    assert meet(stopped, ALWAYS, after(500)).state(after(900)) == "met"


def test_reopened_it_runs_on_with_what_was_left() -> None:
    met = meet(begin(60, ALWAYS, NOON), ALWAYS, after(40))
    assert reopen(met, ALWAYS, after(1000)).due_at == after(1020)


def test_a_more_urgent_promise_counts_from_the_start() -> None:
    clock = begin(240, ALWAYS, NOON)
    assert promise(clock, 60, ALWAYS, after(30)).due_at == after(60)
    assert promise(clock, 60, ALWAYS, after(90)).due_at == after(90)
    assert promise(promise(clock, 60, ALWAYS, after(30)), 240, ALWAYS, after(45)).due_at == after(240)
    stopped = pause(clock, ALWAYS, after(30))
    assert resume(promise(stopped, 60, ALWAYS, after(100)), ALWAYS, after(100)).due_at == after(130)


def test_a_later_promise_forgives_a_breach() -> None:
    clock = begin(60, ALWAYS, NOON)
    assert promise(clock, 240, ALWAYS, after(100)).due_at == after(240)


def test_the_worst_clock_decides() -> None:
    late, soon, ok = Clock(60, after(-1)), Clock(60, after(5)), Clock(60, after(59))
    stopped, met = Clock(60, None, 30.0), Clock(60, after(5), None, NOON)
    for order in ([late, soon], [soon, stopped], [stopped, ok], [ok, met]):
        assert worst(order[::-1], NOON) == order[0].state(NOON)
    assert worst([met, met], NOON) == "met"


def test_the_defaults_promise_more_the_more_urgent_it_is() -> None:
    sla = TenantPolicy().sla
    assert sla == Sla()
    for minutes in (Sla().first_response_minutes, Sla().resolution_minutes):
        assert minutes.urgent < minutes.high < minutes.normal < minutes.low


@given(st.integers(1, 20_000), st.lists(st.integers(0, 5_000), min_size=1, max_size=6))
def test_pauses_never_use_time(minutes: int, pauses: list[int]) -> None:
    """However often a clock is stopped without having run, all of it is left."""
    clock, now = begin(minutes, OFFICE, NOON), NOON
    for length in pauses:
        clock = pause(clock, OFFICE, now)
        now += timedelta(minutes=length)
        clock = resume(clock, OFFICE, now)
    assert clock.due_at is not None
    assert OFFICE.open_minutes_between(now, clock.due_at) == pytest.approx(minutes)
