"""What the HTTP answers of providers have in common: JSON that may not be JSON, waiting times, words worth keeping."""

from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from chatbot.channels.contract import Outcome, Permanent, RetryAfter
from chatbot.core.clock import utcnow
from chatbot.core.safe_http import Fetched

MAX_WORDS = 300
_MAX_WAIT_SECONDS = 24 * 3600.0
_TRY_AGAIN = frozenset({408, 425, 429})


def json_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object of an answer; empty when it is none."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def clipped(words: str) -> str:
    """Return words on one line, cut to what a delivery keeps."""
    line = " ".join(words.split())
    return line if len(line) <= MAX_WORDS else line[: MAX_WORDS - 1] + "…"


def retry_seconds(answer: Fetched) -> float | None:
    """Return what `Retry-After` asks for (seconds or a date), at most a day; None when it says nothing readable."""
    told = answer.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit():
        return min(float(told[:9]), _MAX_WAIT_SECONDS)
    try:
        until = parsedate_to_datetime(told)
    except ValueError:
        return None
    if until.tzinfo is None:
        return None
    return min(max((until - utcnow()).total_seconds(), 0.0), _MAX_WAIT_SECONDS)


def failure(answer: Fetched, words: str) -> Outcome:
    """Return what an answer that is no success means: to wait (429, 5xx, anything odd) or to give up (a 4xx)."""
    told = clipped(words or f"HTTP {answer.status}")
    if answer.status in _TRY_AGAIN or not 400 <= answer.status < 500:
        return RetryAfter(told, retry_seconds(answer), rate_limited=answer.status == 429)
    return Permanent(told)
