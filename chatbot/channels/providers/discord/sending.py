"""Sends rendered messages: into a channel, or as the answer to an interaction while its token lasts."""

import base64
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chatbot.channels.contract import Account, Call, Outcome
from chatbot.channels.providers.discord.api import Answered, call, call_open, outcome_of
from chatbot.channels.providers.discord.credentials import DiscordCredentials
from chatbot.channels.providers.discord.interactions import DEFERRED_MESSAGE
from chatbot.channels.reading import number, word
from chatbot.core.safe_http import SafeHttp

_LOADING = 1 << 7
MESSAGE, INTERACTION = "message", "interaction"


async def send(account: Account[DiscordCredentials], to_make: Call, http: SafeHttp, delivery_id: UUID) -> Outcome:
    """Make one call; an interaction that can be answered no more is answered in its channel."""
    body = to_make.body
    if to_make.action == "edit":
        answered = await edit(account, body, str(body["handle"]), http)
        if answered.fetched.status not in (401, 403, 404):
            return outcome_of(answered)
    if body.get("token"):
        answered = await answer(account, body, http)
        if not answered.token_is_over:
            return outcome_of(answered)
    return outcome_of(await post(account, body, http, _nonce(delivery_id)))


async def post(account: Account[DiscordCredentials], body: Mapping[str, Any], http: SafeHttp, nonce: str) -> Answered:
    """Post into a channel; by its nonce Discord knows a message that it has already taken some minutes ago."""
    channel = str(body["channel"])
    if channel.startswith("user:"):
        opened = await call(account, http, "POST", "/users/@me/channels", {"recipient_id": channel[len("user:") :]})
        if not opened.ok:
            return opened
        channel = word(opened.payload, "id")
    known = {"nonce": nonce, "enforce_nonce": True} if nonce else {}
    return await call(account, http, "POST", f"/channels/{channel}/messages", {**body["message"], **known})


async def answer(account: Account[DiscordCredentials], body: Mapping[str, Any], http: SafeHttp) -> Answered:
    """Answer an interaction: in place of "is thinking" while that is shown, afterwards by a further message."""
    path = _path(account, body)
    if body.get("answer") == DEFERRED_MESSAGE:
        original = await call_open(account, http, "GET", f"{path}/messages/@original")
        same = word(original.payload, "content") == word(body["message"], "content")
        if original.ok and ((number(original.payload, "flags") or 0) & _LOADING or same):
            return await call_open(account, http, "PATCH", f"{path}/messages/@original", body["message"])
        if original.token_is_over:
            return original
    return await call_open(account, http, "POST", path, body["message"])


async def edit(account: Account[DiscordCredentials], body: Mapping[str, Any], handle: str, http: SafeHttp) -> Answered:
    """Change a message that was shown while it was made."""
    kind, _, message_id = handle.partition(":")
    if kind == INTERACTION:
        path = f"{_path(account, body)}/messages/{message_id}"
        return await call_open(account, http, "PATCH", path, body["message"])
    return await call(account, http, "PATCH", f"/channels/{body['channel']}/messages/{message_id}", body["message"])


def _path(account: Account[DiscordCredentials], body: Mapping[str, Any]) -> str:
    return f"/webhooks/{account.credentials.application_id}/{body['token']}"


def _nonce(delivery_id: UUID) -> str:
    """A delivery's id in the 25 characters that Discord takes."""
    return base64.urlsafe_b64encode(delivery_id.bytes).decode().rstrip("=")
