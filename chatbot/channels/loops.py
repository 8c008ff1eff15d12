"""Programs that answer one another: how often a conversation is answered by us before a person must look."""

from collections.abc import Sequence
from datetime import datetime, timedelta


def may_answer(limits: Sequence[tuple[timedelta, int]], answered: Sequence[datetime], now: datetime) -> bool:
    """Whether one more automatic answer is safe, given when the earlier ones were sent.

    Args:
        limits: `(span, count)`: fewer than so many in each span.
    """
    return all(sum(now - moment < span for moment in answered) < most for span, most in limits)
