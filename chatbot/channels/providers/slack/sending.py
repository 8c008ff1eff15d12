"""Sends rendered messages: calls of the Web API, and answers to a slash command by its own address."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from chatbot.channels.contract import Account, Call, Outcome, Permanent, RetryAfter, Sent
from chatbot.channels.http_answers import clipped, retry_seconds
from chatbot.channels.providers.slack.api import call, outcome_of
from chatbot.channels.providers.slack.credentials import OFFICIAL, SlackCredentials
from chatbot.core.safe_address import AddressRefused
from chatbot.core.safe_http import SafeHttp

_DRAFT_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
_STOPPED = frozenset({"message_not_in_streaming_state", "message_not_found"})


async def send(account: Account[SlackCredentials], to_make: Call, http: SafeHttp) -> Outcome:
    """Make one call; a draft that is gone is replaced by a new message."""
    body = to_make.body
    if to_make.action == "response_url":
        return await _answer_command(account, body, http)
    answered = await call(account, http, to_make.action, body)
    if to_make.action == "chat.stopStream" and (answered.ok or answered.error in _STOPPED):
        return Sent()
    if to_make.action == "chat.update" and answered.error in _DRAFT_GONE:
        anew = {name: value for name, value in body.items() if name != "ts"}
        answered = await call(account, http, "chat.postMessage", anew)
    return outcome_of(answered)


async def _answer_command(account: Account[SlackCredentials], body: Mapping[str, Any], http: SafeHttp) -> Outcome:
    """Answer by the command's address, which lives for 30 minutes and 5 messages; after that, directly."""
    url, message = str(body["url"]), dict(body["message"])
    if not is_slacks(url, account):
        return Permanent("the answer's address is not Slack's")
    payload = orjson.dumps({**message, "response_type": "ephemeral", "replace_original": False})
    headers = {"Content-Type": "application/json; charset=utf-8"}
    fetched = await http.request("POST", url, headers=headers, body=payload)
    if fetched.status == 429:
        return RetryAfter("Slack: rate limited", retry_seconds(fetched), rate_limited=True)
    if fetched.status >= 500:
        return RetryAfter(f"Slack answered HTTP {fetched.status}")
    if fetched.status >= 300 and body.get("user"):
        return outcome_of(await call(account, http, "chat.postMessage", {**message, "channel": body["user"]}))
    if fetched.status >= 300:
        return Permanent(clipped(f"Slack: {fetched.body[:200].decode(errors='replace')} (HTTP {fetched.status})"))
    return Sent()


def is_slacks(url: str, account: Account[SlackCredentials]) -> bool:
    """Whether an address is Slack's own (or, of another base address, that one's): only there go tokens and answers."""
    try:
        parts, base = urlsplit(url), urlsplit(account.credentials.api_url)
    except ValueError:
        return False
    if account.credentials.api_url != OFFICIAL and (parts.scheme, parts.netloc) == (base.scheme, base.netloc):
        return True
    host = parts.hostname or ""
    return parts.scheme == "https" and not parts.username and (host == "slack.com" or host.endswith(".slack.com"))


def require_slacks(url: str, account: Account[SlackCredentials]) -> None:
    """Refuse an address that is not Slack's; raises `AddressRefused`."""
    if not is_slacks(url, account):
        raise AddressRefused("The file is not on Slack; the bot's token is not sent elsewhere.")
