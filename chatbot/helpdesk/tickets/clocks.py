"""The clocks of a ticket, to its first response and to its resolution: pure functions over open hours.

A clock runs while the ticket is open, stands still while it waits for the requester, and has ended once it was met.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from chatbot.identity.policies.hours import OpeningHours

SlaState = Literal["ok", "due_soon", "breached", "met", "paused"]

_WORST_FIRST: tuple[SlaState, ...] = ("breached", "due_soon", "paused", "ok", "met")
_SOON_SHARE = 0.2
_SOON_AT_LEAST = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise and where it stands.

    Attributes:
        minutes: what was promised, in open minutes; None: nothing was, and only `met_at` is kept.
        due_at: when they are over; None while it stands still before that.
        left: open minutes that were left when it was stopped; None while it runs.
        met_at: when it was done, in time or not.
    """

    minutes: int | None = None
    due_at: datetime | None = None
    left: float | None = None
    met_at: datetime | None = None

    def state(self, now: datetime) -> SlaState | None:
        """Return how it stands; None when nothing was promised."""
        if self.minutes is None:
            return None
        if self.due_at is None:
            return "paused"
        if (self.met_at or now) > self.due_at:
            return "breached"
        if self.met_at:
            return "met"
        soon = max(_SOON_AT_LEAST, timedelta(minutes=self.minutes * _SOON_SHARE))
        return "due_soon" if self.due_at - now <= soon else "ok"


def worst(clocks: Sequence[Clock], now: datetime) -> SlaState | None:
    """Return how a ticket stands by the worst of its clocks; None when nothing was promised."""
    states = {clock.state(now) for clock in clocks}
    return next((state for state in _WORST_FIRST if state in states), None)


def begin(minutes: int | None, hours: OpeningHours, now: datetime) -> Clock:
    """Start a clock."""
    return Clock(minutes, None if minutes is None else hours.add_open_minutes(now, minutes))


def pause(clock: Clock, hours: OpeningHours, now: datetime) -> Clock:
    """Stop a clock that runs; one whose time is over keeps its end."""
    if clock.due_at is None or clock.met_at or clock.due_at <= now:
        return clock
    return replace(clock, due_at=None, left=hours.open_minutes_between(now, clock.due_at))


def resume(clock: Clock, hours: OpeningHours, now: datetime) -> Clock:
    """Let a stopped clock run on with what was left."""
    if clock.left is None:
        return clock
    return replace(clock, due_at=hours.add_open_minutes(now, clock.left), left=None)


def meet(clock: Clock, hours: OpeningHours, now: datetime) -> Clock:
    """Note that it is done; the first time counts."""
    if clock.met_at:
        return clock
    return replace(resume(clock, hours, now), met_at=now)


def reopen(clock: Clock, hours: OpeningHours, now: datetime) -> Clock:
    """Take back that it is done: the clock runs on with what was left then, if anything was."""
    if clock.met_at is None:
        return clock
    if clock.due_at is None or clock.due_at <= clock.met_at:
        return replace(clock, met_at=None)
    left = hours.open_minutes_between(clock.met_at, clock.due_at)
    return replace(clock, met_at=None, due_at=hours.add_open_minutes(now, left))


def promise(clock: Clock, minutes: int | None, hours: OpeningHours, now: datetime) -> Clock:
    """Promise another time, as of the start: what has run of the old one has run of the new one too."""
    if clock.met_at or minutes == clock.minutes:
        return clock
    if clock.minutes is None or minutes is None:
        return begin(minutes, hours, now)
    left = minutes - _used(clock, hours, now)
    if clock.left is not None:
        return replace(clock, minutes=minutes, left=max(0.0, left))
    return replace(clock, minutes=minutes, due_at=hours.add_open_minutes(now, left) if left > 0 else now)


def _used(clock: Clock, hours: OpeningHours, now: datetime) -> float:
    """How many open minutes a running or stopped clock has run."""
    assert clock.minutes is not None
    if clock.due_at is None:
        return clock.minutes - (clock.left or 0.0)
    if clock.due_at > now:
        return clock.minutes - hours.open_minutes_between(now, clock.due_at)
    return clock.minutes + hours.open_minutes_between(clock.due_at, now)
