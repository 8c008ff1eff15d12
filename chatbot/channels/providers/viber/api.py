"""Calls to Viber's API, which answers 200 and tells errors as a `status` inside."""

from collections.abc import Mapping
from typing import Any

import orjson

from chatbot.channels.contract import Account, Outcome, Permanent, RetryAfter, Sent
from chatbot.channels.http_answers import clipped, failure, json_object, retry_seconds, without_secrets
from chatbot.channels.providers.viber.credentials import ViberCredentials
from chatbot.core.safe_http import Fetched, SafeHttp

_TOO_MANY = 12
# 10: no webhook is set (yet). 24: no balance (yet). What is above 24 has no name: a general error.
_LATER = frozenset({10, 24})
_NAMED = range(1, 25)


async def call(account: Account[ViberCredentials], method: str, body: Mapping[str, Any], http: SafeHttp) -> Fetched:
    """Make one call of `/pa/`."""
    headers = {
        "X-Viber-Auth-Token": account.credentials.auth_token.get_secret_value(),
        "Content-Type": "application/json",
    }
    url = f"{account.credentials.api_url}/pa/{method}"
    return without_secrets(await http.request("POST", url, headers=headers, body=orjson.dumps(body)), account)


def answered(answer: Fetched) -> dict[str, Any]:
    """Return the answer of a call that succeeded; empty when it did not."""
    told = json_object(answer.body)
    return told if answer.status == 200 and told.get("status") == 0 else {}


def words(answer: Fetched) -> str:
    """Return Viber's words about an answer that is no success."""
    told = json_object(answer.body)
    message = told.get("status_message")
    return clipped(f"{message} ({told.get('status')})" if isinstance(message, str) else f"HTTP {answer.status}")


def outcome(answer: Fetched) -> Outcome:
    """Return what became of a message."""
    told = json_object(answer.body)
    status = told.get("status")
    if answer.status != 200:
        return failure(answer, words(answer))
    if status == 0:
        token = told.get("message_token")
        return Sent(str(token) if isinstance(token, str | int) else None)
    if status == _TOO_MANY:
        return RetryAfter(words(answer), retry_seconds(answer), rate_limited=True)
    if not isinstance(status, int) or status not in _NAMED or status in _LATER:
        return RetryAfter(words(answer))
    return Permanent(words(answer))
