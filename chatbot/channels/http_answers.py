"""What the HTTP answers of providers have in common: JSON that may not be JSON, waiting times, words worth keeping."""

from collections.abc import Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import orjson
from pydantic import SecretStr

from chatbot.channels.contract import Account, Outcome, Permanent, RetryAfter
from chatbot.core.clock import utcnow
from chatbot.core.safe_http import Fetched

MAX_WORDS = 300
_MAX_WAIT_SECONDS = 24 * 3600.0
_LEAST_SECRET = 8
"""What is shorter is no secret of any provider, and may be a part of other words."""

_TRY_AGAIN = frozenset({408, 425, 429})


def without_secrets(answer: Fetched, account: Account[Any]) -> Fetched:
    """Return an answer without what the account keeps secret: a provider, or a proxy before it, may repeat it.

    Whatever an answer says may come to be words for an operator, a row of the outbox or a line of a log.
    """
    body = answer.body
    for secret in _secrets(account):
        body = body.replace(secret.encode(), b"***")
    return answer if body == answer.body else replace(answer, body=body)


def hidden(words: str, account: Account[Any]) -> str:
    """Return words without what the account keeps secret."""
    for secret in _secrets(account):
        words = words.replace(secret, "***")
    return words


def _secrets(account: Account[Any]) -> Iterator[str]:
    """The account's secrets, also as they stand in an address."""
    held = [value.get_secret_value() for _, value in account.credentials if isinstance(value, SecretStr)]
    for secret in (account.secret, *held):
        if len(secret) >= _LEAST_SECRET:
            yield from {secret, quote(secret, safe="")}


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
