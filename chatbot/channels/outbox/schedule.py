"""When a delivery that failed is tried again."""

from datetime import datetime, timedelta

from chatbot.channels.contract import RetryAfter

_SECOND, _MINUTE, _HOUR = 1, 60, 3600
BACKOFF = (5 * _SECOND, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 10 * _HOUR)
"""Seconds after each failure; one more failure and the delivery is a dead letter."""

MAX_RETRY_AFTER = 24 * _HOUR
"""A provider that asks for more is asked again after so long: about as long as all of the backoff takes."""

MAX_AGE = timedelta(hours=48)
"""A delivery that is only ever held back by rate limits ends too."""


def next_try(outcome: RetryAfter, *, failures: int, created_at: datetime, now: datetime) -> datetime | None:
    """Return when to try again, None when enough was tried.

    Args:
        failures: those before this one; being held back by a rate limit is none.
    """
    if now - created_at > MAX_AGE:
        return None
    asked = min(outcome.seconds, MAX_RETRY_AFTER) if outcome.seconds is not None else None
    if outcome.rate_limited:
        return now + timedelta(seconds=asked if asked is not None else BACKOFF[0])
    if failures >= len(BACKOFF):
        return None
    return now + timedelta(seconds=max(asked or 0, BACKOFF[failures]))
