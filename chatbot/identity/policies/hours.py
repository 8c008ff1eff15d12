"""Opening hours as arithmetic: whether people are there at a time, when next, and time counted while they are.

A span is a stretch of a local day. It begins at the first moment when the clock on the wall shows `opens` or later, and
ends at the first that shows `closes` or later: where the clock jumps, doors still open and close once a day.
Every moment taken and given is aware; those given are UTC.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from typing import get_args
from zoneinfo import ZoneInfo

from chatbot.identity.policies.schemas import Hours, OpenHours, Weekday

Interval = tuple[datetime, datetime]

_WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
_MIDNIGHT = "24:00"
_HORIZON = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """A week's spans in a time zone; without spans it is always open."""

    spans: tuple[OpenHours, ...]
    zone: ZoneInfo

    @classmethod
    def of(cls, hours: Hours, timezone: str) -> "OpeningHours":
        """Return what a policy's hours mean in a tenant that lives in `timezone`; the hours' own zone goes before."""
        return cls(hours.open, ZoneInfo(hours.timezone or timezone))

    def open_now(self, at: datetime) -> bool:
        """Whether people are there at that moment."""
        return self.next_open(at) is None

    def next_open(self, at: datetime) -> datetime | None:
        """Return the first open moment after one that is closed; None when it is open then."""
        if not self.spans:
            return None
        opens, _closes = next(self._after(at))
        return opens if opens > at else None

    def add_open_minutes(self, start: datetime, minutes: float) -> datetime:
        """Return the first moment by which so many open minutes have passed; ten years on at the latest."""
        left = timedelta(minutes=minutes)
        if not self.spans or left <= timedelta(0):
            return _utc(start) + left
        end = _utc(start) + _HORIZON
        for opens, closes in takewhile(lambda interval: interval[0] < end, self._after(start)):
            length = closes - opens
            if left <= length:
                return opens + left
            left -= length
        return end

    def open_minutes_between(self, a: datetime, b: datetime) -> float:
        """Return how many open minutes lie between two moments; 0 when the second is not the later one."""
        if b <= a:
            return 0.0
        if not self.spans:
            return (b - a) / timedelta(minutes=1)
        within = takewhile(lambda interval: interval[0] < b, self._after(a))
        return sum(((min(closes, b) - opens) / timedelta(minutes=1) for opens, closes in within), 0.0)

    def _after(self, moment: datetime) -> Iterator[Interval]:
        """Give what is open after a moment, in order, without overlaps and without end."""
        passed = _utc(moment)
        for opens, closes in self._from(moment.astimezone(self.zone).date() - timedelta(days=1)):
            if closes > passed:
                yield max(opens, passed), closes
                passed = closes

    def _from(self, day: date) -> Iterator[Interval]:
        while True:
            name = _WEEKDAYS[day.weekday()]
            for span in sorted((span for span in self.spans if span.day == name), key=lambda span: span.opens):
                opens, closes = self._moment(day, span.opens), self._moment(day, span.closes)
                if opens < closes:  # a span that the clock jumps over is none
                    yield opens, closes
            day += timedelta(days=1)

    def _moment(self, day: date, clock: str) -> datetime:
        """Return the first moment when the wall shows that time of that day, or a later one."""
        if clock == _MIDNIGHT:
            return self._moment(day + timedelta(days=1), "00:00")
        wall = datetime.combine(day, time.fromisoformat(clock), self.zone)
        moment = wall.astimezone(UTC)
        if moment.astimezone(self.zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
            return moment
        return self._jump(wall.replace(fold=1).astimezone(UTC), moment)

    def _jump(self, before: datetime, after: datetime) -> datetime:
        """Return the moment between two at which the clock was put forward."""
        seconds = range(int(before.timestamp()), int(after.timestamp()) + 1)
        new = after.astimezone(self.zone).utcoffset()
        found = bisect_left(seconds, 1, key=lambda second: datetime.fromtimestamp(second, self.zone).utcoffset() == new)
        return datetime.fromtimestamp(seconds[found], UTC)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
