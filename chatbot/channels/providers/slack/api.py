"""Slack's Web API: one call, and what its answer means."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from chatbot.channels.contract import Account, Outcome, Permanent, RetryAfter, Sent
from chatbot.channels.http_answers import clipped, json_object, retry_seconds, without_secrets
from chatbot.channels.providers.slack.credentials import SlackCredentials
from chatbot.channels.reading import part, word, words
from chatbot.core.safe_http import Fetched, SafeHttp

_PASSING = frozenset({
    "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org",
    "external_channel_migrating",
})  # fmt: skip
_RATE_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_MEANING = {
    "channel_not_found": "there is no such channel, or the bot cannot see it",
    "not_in_channel": "the bot is not in the channel; invite it there",
    "is_archived": "the channel is archived",
    "token_revoked": "the bot token was revoked; install the app again",
    "token_expired": "the bot token has expired; install the app again",
    "invalid_auth": "the bot token is not valid",
    "not_authed": "the bot token is missing",
    "account_inactive": "the app was removed from the workspace, or its workspace was deleted",
    "missing_scope": "the app lacks a permission",
    "msg_too_long": "the message is too long",
    "messages_tab_disabled": "the app's messages tab is switched off (App Home)",
    "user_not_found": "there is no such person",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """What the Web API answered; `error` is Slack's word for a refusal, empty when it did what was asked."""

    fetched: Fetched
    payload: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.payload.get("ok") is True

    @property
    def error(self) -> str:
        """Slack's word for what went wrong."""
        return "" if self.ok else word(self.payload, "error")


async def call(account: Account[SlackCredentials], http: SafeHttp, method: str, body: Mapping[str, Any]) -> Answered:
    """Call a method with JSON; raises `OutgoingFailed`."""
    headers = _headers(account) | {"Content-Type": "application/json; charset=utf-8"}
    url = f"{account.credentials.api_url}/{method}"
    return _answered(account, await http.request("POST", url, headers=headers, body=orjson.dumps(dict(body))))


async def ask(account: Account[SlackCredentials], http: SafeHttp, method: str, query: Mapping[str, str]) -> Answered:
    """Call a reading method, which takes no JSON; raises `OutgoingFailed`."""
    url = f"{account.credentials.api_url}/{method}?{urlencode(query)}"
    return _answered(account, await http.request("GET", url, headers=_headers(account)))


async def file_of(account: Account[SlackCredentials], http: SafeHttp, url: str, max_bytes: int) -> Fetched:
    """Get a file with the bot's token; the caller has made sure that the address is Slack's."""
    return await http.request("GET", url, headers=_headers(account), max_bytes=max_bytes)


def outcome_of(answered: Answered) -> Outcome:
    """Return what an answer means for a message."""
    if answered.ok:
        return Sent(word(answered.payload, "ts") or word(part(answered.payload, "message"), "ts") or None)
    status, error = answered.fetched.status, answered.error
    if status == 429 or error in _RATE_LIMITED:
        words_told = clipped(f"Slack: {error or 'ratelimited'}")
        return RetryAfter(words_told, retry_seconds(answered.fetched), rate_limited=True)
    if error and error not in _PASSING:
        return Permanent(explained(answered))
    if not error and 400 <= status < 500:
        return Permanent(f"Slack answered HTTP {status}")
    return RetryAfter(clipped(f"Slack: {error}" if error else f"Slack answered HTTP {status} and no reason"))


def explained(answered: Answered) -> str:
    """Return Slack's error with what it means and what it says it lacks."""
    error = answered.error or f"HTTP {answered.fetched.status}"
    said = [f"Slack: {error}", _MEANING.get(error, "")]
    if needed := word(answered.payload, "needed"):
        said.append(f"needed: {needed}")
    said += words(part(answered.payload, "response_metadata"), "messages")[:2]
    return clipped("; ".join(one for one in said if one))


def _answered(account: Account[SlackCredentials], fetched: Fetched) -> Answered:
    fetched = without_secrets(fetched, account)
    return Answered(fetched, json_object(fetched.body))


def _headers(account: Account[SlackCredentials]) -> dict[str, str]:
    return {"Authorization": f"Bearer {account.credentials.bot_token.get_secret_value()}"}
