"""Days of a time zone, and the moments at which they begin and end."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


def day_of(moment: datetime, zone: str) -> date:
    """Return the day that it is in a zone."""
    return moment.astimezone(ZoneInfo(zone)).date()


def begins(day: date, zone: str) -> datetime:
    """Return when a day begins in a zone, in UTC. Where clocks skip midnight, that is when they do."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def days_between(first: date, last: date) -> Iterator[date]:
    """Give every day from the first to the last, both included."""
    day = first
    while day <= last:
        yield day
        day += _DAY


def bounds(first: date, last: date, zone: str) -> list[datetime]:
    """Return when each of these days begins, and when the last one ends."""
    return [begins(day, zone) for day in days_between(first, last + _DAY)]
