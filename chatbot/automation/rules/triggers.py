"""Triggers: what starts a rule. An event, a time, or that nobody has answered for a while."""

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from pydantic import Field, StringConstraints, field_validator

from chatbot.automation.catalogue import EVENTS
from chatbot.automation.rules.conditions import Part
from chatbot.identity.tenants.schemas import TimeZone

_SUNDAY_FIRST = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class OnEvent(Part):
    """Each event of a name, or of any of some names."""

    type: Literal["event"]
    name: str | Annotated[tuple[str, ...], Field(min_length=1, max_length=50)]

    @field_validator("name")
    @classmethod
    def _known(cls, name: str | tuple[str, ...]) -> str | tuple[str, ...]:
        unknown = [each for each in ((name,) if isinstance(name, str) else name) if each not in EVENTS]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is none of {', '.join(sorted(EVENTS))}")
        return name

    @property
    def names(self) -> tuple[str, ...]:
        """The names that it waits for."""
        return (self.name,) if isinstance(self.name, str) else self.name


class OnTime(Part):
    """A cron expression of five fields (minute hour day month weekday); without a time zone, the tenant's.

    A day and a weekday that are both narrowed must both be met.
    """

    type: Literal["cron"]
    cron: Annotated[str, StringConstraints(max_length=100)]
    timezone: TimeZone | None = None

    @field_validator("cron")
    @classmethod
    def _readable(cls, cron: str) -> str:
        try:
            _fields(cron, ZoneInfo("UTC"))
        except ValueError as error:
            raise ValueError(f"is not a cron expression of five fields: {error}") from None
        return cron


class OnSilence(Part):
    """A conversation in which nobody has answered for so long.

    `waiting_for`: `team` when the last word was the visitor's, or the visitor waits in the queue; `visitor` when it was
    ours. What the platform itself says of a queue is no word.
    """

    type: Literal["silence"]
    minutes: Annotated[int, Field(ge=1, le=43_200)]
    waiting_for: Literal["team", "visitor"] = "team"


Trigger = Annotated[OnEvent | OnTime | OnSilence, Field(discriminator="type")]


def next_time(trigger: OnTime, tenant_zone: str, after: datetime) -> datetime | None:
    """Return the first moment after another at which a cron expression fires; None: never again."""
    zone = ZoneInfo(trigger.timezone or tenant_zone)
    found = _fields(trigger.cron, zone).get_next_fire_time(after, after.astimezone(zone))
    return found.astimezone(after.tzinfo) if found else None


def _fields(cron: str, zone: ZoneInfo) -> CronTrigger:
    minute, hour, day, month, weekday = _five(cron)
    return CronTrigger(
        minute=minute, hour=hour, day=day, month=month, day_of_week=_by_name(weekday), timezone=zone
    )  # fmt: skip


def _five(cron: str) -> list[str]:
    parts = cron.split()
    if len(parts) != 5:
        raise ValueError(f"has {len(parts)}")
    return parts


def _by_name(weekday: str) -> str:
    """Weekdays by name, each: cron counts from Sunday, APScheduler from Monday; `sat-wed` goes over a week's end."""
    days = {day % 7 for part in weekday.split(",") for day in _days(part)}
    return ",".join(_SUNDAY_FIRST[day] for day in sorted(days))


def _days(part: str) -> range:
    span, stepped, step = part.partition("/")
    begins, ranged, ends = span.partition("-")
    first = 0 if begins == "*" else _day(begins)
    last = _day(ends) if ranged else 6 if begins == "*" or stepped else first
    if stepped and not (step.isascii() and step.isdigit() and 0 < int(step) <= 7):
        raise ValueError(f"{step!r} is no step of weekdays")
    return range(first, last + (7 if last < first else 0) + 1, int(step or 1))


def _day(name: str) -> int:
    if name.lower() in _SUNDAY_FIRST:
        return _SUNDAY_FIRST.index(name.lower())
    if name.isascii() and name.isdigit() and int(name) <= 7:
        return int(name)
    raise ValueError(f"{name!r} is no weekday")
