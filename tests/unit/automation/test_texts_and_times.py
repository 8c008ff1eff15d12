"""Texts with placeholders, cron expressions, quiet hours."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chatbot.automation.rules.facts import Facts
from chatbot.automation.rules.limits import QuietHours
from chatbot.automation.rules.templates import fill, fill_all, unknown_placeholders
from chatbot.automation.rules.triggers import OnTime, next_time

FACTS = Facts(
    {"visitor.name": "{{message.text}}", "message.text": "Where?", "conversation.tags": ["a", "b"], "hours.open": True},
    {"topic": "refund"},
    {"mode": "no_answer"},
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hello {{ visitor.name }}!", "Hello {{message.text}}!"),  # once: a visitor's words are no template
        ("{{conversation.tags}}", "a, b"),
        ("{{variable.topic}}/{{event.mode}}/{{visitor.email}}.", "refund/no_answer/."),
        ("open: {{hours.open}}", "open: yes"),
        ("{ {not one} }", "{ {not one} }"),
    ],
)
def test_fill(template: str, text: str) -> None:
    assert fill(template, FACTS) == text


def test_a_value_alone_keeps_its_kind() -> None:
    body: Any = {
        "tags": "{{conversation.tags}}",
        "n": 1,
        "deep": [{"open": "{{hours.open}}"}],
        "said": "{{message.text}}?",
    }
    assert fill_all(body, FACTS) == {"tags": ["a", "b"], "n": 1, "deep": [{"open": True}], "said": "Where??"}


def test_unknown_placeholders_are_named_wherever_they_stand() -> None:
    assert unknown_placeholders({"a": ["{{visitor.shoe}}", {"b": "{{event.anything}} {{}}"}]}) == ["visitor.shoe", ""]


def _next(cron: str, after: datetime, zone: str = "UTC", own: str | None = None) -> datetime | None:
    return next_time(OnTime(type="cron", cron=cron, timezone=own), zone, after)


def test_cron_counts_weekdays_from_sunday() -> None:
    thursday = datetime(2026, 11, 26, 12, tzinfo=UTC)
    for sunday in ("0 9 * * 0", "0 9 * * 7", "0 9 * * sun"):
        assert _next(sunday, thursday) == datetime(2026, 11, 29, 9, tzinfo=UTC)
    assert _next("0 9 * * 1-5", thursday) == datetime(2026, 11, 27, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("weekdays", "days"),
    [
        ("6-3", "sat sun mon tue wed"), ("SAT-WED", "sat sun mon tue wed"), ("0-6", "sun mon tue wed thu fri sat"),
        ("0-7", "sun mon tue wed thu fri sat"), ("5-7", "fri sat sun"), ("*/2", "sun tue thu sat"),
        ("1-5/2", "mon wed fri"), ("mon,3", "mon wed"), ("*", "sun mon tue wed thu fri sat"),
    ],
)  # fmt: skip
def test_cron_weekdays_however_they_are_written(weekdays: str, days: str) -> None:
    moment, found = datetime(2026, 11, 26, 12, tzinfo=UTC), set()
    for _ in range(7):
        moment = _next(f"0 9 * * {weekdays}", moment) or moment
        found.add(f"{moment:%a}".lower())
    assert found == set(days.split())


@pytest.mark.parametrize("weekdays", ["8", "someday", "1-", "*/0", "*/8", "1--3", ""])
def test_what_is_no_weekday_is_refused(weekdays: str) -> None:
    with pytest.raises(ValueError, match="cron expression"):
        OnTime(type="cron", cron=f"0 9 * * {weekdays}")


def test_cron_goes_by_the_rules_time_zone_else_the_tenants() -> None:
    noon = datetime(2026, 11, 26, 12, tzinfo=UTC)
    assert _next("30 8 * * *", noon, "Asia/Tehran") == datetime(2026, 11, 27, 5, tzinfo=UTC)
    assert _next("30 8 * * *", noon, "Asia/Tehran", "UTC") == datetime(2026, 11, 27, 8, 30, tzinfo=UTC)


def test_an_hour_that_the_clocks_skip_or_repeat_fires_once() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)  # on the 29th Berlin goes from 02:00 to 03:00
    first = _next("30 2 * * *", before, "Europe/Berlin")
    assert first is not None
    second = _next("30 2 * * *", first, "Europe/Berlin") if first > before else None
    assert second is not None
    back = datetime(2026, 10, 24, 12, tzinfo=UTC)  # on the 25th from 03:00 to 02:00
    one = _next("30 2 * * *", back, "Europe/Berlin")
    assert one == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("begins", "ends", "hour", "quiet"),
    [
        ("22:00", "07:00", 23, True),
        ("22:00", "07:00", 6, True),
        ("22:00", "07:00", 7, False),
        ("12:00", "13:00", 12, True),
        ("12:00", "13:00", 13, False),
    ],
)
def test_quiet_hours(begins: str, ends: str, hour: int, quiet: bool) -> None:
    hours = QuietHours(begins=begins, ends=ends)
    assert hours.at(datetime(2026, 11, 26, hour, tzinfo=UTC), "UTC") is quiet
    assert hours.at(datetime(2026, 11, 26, (hour - 4) % 24, 30, tzinfo=UTC), "Asia/Tehran") is quiet
