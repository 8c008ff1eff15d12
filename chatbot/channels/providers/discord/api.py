"""Discord's HTTP API: one call, and what its answer means."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from chatbot.channels.contract import Account, Outcome, Permanent, RetryAfter, Sent
from chatbot.channels.http_answers import clipped, json_object, retry_seconds, without_secrets
from chatbot.channels.providers.discord.credentials import DiscordCredentials
from chatbot.channels.reading import number, word
from chatbot.core.safe_http import Fetched, SafeHttp

_MEANING = {
    10003: "there is no such channel",
    50001: "the bot may not see the channel",
    50007: "this person takes no messages from the bot",
    50013: "the bot may not write in the channel",
    40001: "the bot token is not valid",
}
_DEAD_TOKEN = frozenset({10015, 10062, 50027})


@dataclass(frozen=True, slots=True)
class Answered:
    """What the API answered; `payload` is empty where it is no JSON object."""

    fetched: Fetched
    payload: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return 200 <= self.fetched.status < 300

    @property
    def code(self) -> int:
        """Discord's number for what went wrong; 0 when it gave none."""
        return number(self.payload, "code") or 0

    @property
    def token_is_over(self) -> bool:
        """Whether an interaction can be answered no more: its 15 minutes are over."""
        return self.code in _DEAD_TOKEN or (self.fetched.status in (401, 404) and self.code != 10008)


async def call(
    account: Account[DiscordCredentials], http: SafeHttp, method: str, path: str, body: Mapping[str, Any] | None = None
) -> Answered:
    """Make one call as the bot; raises `OutgoingFailed`."""
    token = account.credentials.bot_token.get_secret_value()
    return await _ask(account, http, method, path, body, {"Authorization": f"Bot {token}"})


async def call_open(
    account: Account[DiscordCredentials], http: SafeHttp, method: str, path: str, body: Mapping[str, Any] | None = None
) -> Answered:
    """Make one call whose path proves itself by an interaction's token; raises `OutgoingFailed`."""
    return await _ask(account, http, method, path, body, {})


async def _ask(
    account: Account[DiscordCredentials],
    http: SafeHttp,
    method: str,
    path: str,
    body: Mapping[str, Any] | None,
    headers: dict[str, str],
) -> Answered:
    url = f"{account.credentials.api_url}{path}"
    content = None if body is None else orjson.dumps(dict(body))
    if content is not None:
        headers = headers | {"Content-Type": "application/json"}
    fetched = without_secrets(await http.request(method, url, headers=headers, body=content), account)
    return Answered(fetched, json_object(fetched.body))


def outcome_of(answered: Answered) -> Outcome:
    """Return what an answer means for a message: a limit of one channel holds back no other."""
    if answered.ok:
        return Sent(word(answered.payload, "id") or None)
    status = answered.fetched.status
    if status == 429:
        asked = answered.payload.get("retry_after")
        seconds = float(asked) if isinstance(asked, int | float) else retry_seconds(answered.fetched)
        everywhere = answered.payload.get("global") is True or not answered.payload
        return RetryAfter(clipped(f"Discord: {_told(answered)}"), seconds, rate_limited=everywhere)
    if 400 <= status < 500 and status != 408:
        return Permanent(explained(answered))
    return RetryAfter(clipped(f"Discord: {_told(answered)}"))


def explained(answered: Answered) -> str:
    """Return Discord's words and number, with what they mean for an operator."""
    if answered.fetched.status == 401 and not answered.token_is_over:
        return "Discord: the bot token is not valid (HTTP 401)"
    meaning = _MEANING.get(answered.code, "")
    details = orjson.dumps(answered.payload["errors"]).decode() if answered.payload.get("errors") else ""
    return clipped("; ".join(one for one in (f"Discord: {_told(answered)}", meaning, details) if one))


def _told(answered: Answered) -> str:
    words = word(answered.payload, "message")
    number_told = f"code {answered.code}" if answered.code else f"HTTP {answered.fetched.status}"
    return f"{words} ({number_told})" if words else f"HTTP {answered.fetched.status}"
