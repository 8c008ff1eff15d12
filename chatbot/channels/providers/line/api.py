"""Calls to LINE's Messaging API."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from chatbot.channels.contract import Account, Call, Outcome, Permanent, Sent
from chatbot.channels.http_answers import clipped, failure, json_object, without_secrets
from chatbot.channels.providers.line.credentials import LineCredentials
from chatbot.core.safe_http import Fetched, OutgoingFailed, SafeHttp

REPLY_SECONDS = 50.0


async def call(
    account: Account[LineCredentials],
    method: str,
    path: str,
    http: SafeHttp,
    body: Mapping[str, Any] | None = None,
    *,
    retry_key: UUID | None = None,
) -> Fetched:
    """Make one call; `retry_key` lets LINE drop a repetition."""
    headers = authorization(account.credentials) | {"Content-Type": "application/json"}
    if retry_key:
        headers["X-Line-Retry-Key"] = str(retry_key)
    raw = None if body is None else orjson.dumps(body)
    answer = await http.request(method, account.credentials.api_url + path, headers=headers, body=raw)
    return without_secrets(answer, account)


def authorization(credentials: LineCredentials) -> dict[str, str]:
    """Return the header of a call."""
    return {"Authorization": f"Bearer {credentials.channel_access_token.get_secret_value()}"}


async def send(
    account: Account[LineCredentials], told: Call, http: SafeHttp, *, delivery_id: UUID, now: float
) -> Outcome:
    """Reply while the token serves, which costs nothing; else push."""
    messages, token = told.body["messages"], told.body.get("reply_token")
    if token and now - told.body["reply_at"] < REPLY_SECONDS:
        answer = await call(account, "POST", "/v2/bot/message/reply", http, {"replyToken": token, "messages": messages})
        if answer.status != 400 or "reply token" not in words(answer).lower():
            return _outcome(answer)
    pushed = {"to": told.body["to"], "messages": messages}
    answer = await call(account, "POST", "/v2/bot/message/push", http, pushed, retry_key=delivery_id)
    return _outcome(answer)


async def file(account: Account[LineCredentials], message_id: str, http: SafeHttp, *, max_bytes: int) -> bytes:
    """Get the file of a message. Raises `OutgoingFailed`, also while LINE still converts it (202)."""
    if not message_id.isalnum():
        raise OutgoingFailed("The file has no id of LINE's.")
    url = f"{account.credentials.data_url}/v2/bot/message/{message_id}/content"
    answer = await http.request("GET", url, headers=authorization(account.credentials), max_bytes=max_bytes)
    if answer.status != 200:
        raise OutgoingFailed(f"LINE answered {answer.status} for a file.")
    return answer.body


def words(answer: Fetched) -> str:
    """Return LINE's words about an answer that is no success."""
    told = json_object(answer.body)
    details = told.get("details")
    first = details[0] if isinstance(details, list) and details and isinstance(details[0], dict) else {}
    parts = [told.get("message"), first.get("property"), first.get("message")]
    return clipped(": ".join(part for part in parts if isinstance(part, str) and part) or f"HTTP {answer.status}")


def _outcome(answer: Fetched) -> Outcome:
    # 409: this retry key was accepted before.
    if 200 <= answer.status < 300 or answer.status == 409:
        return Sent(_first_id(answer))
    if answer.status == 429 and "monthly limit" in words(answer).lower():
        return Permanent(words(answer))
    return failure(answer, words(answer))


def _first_id(answer: Fetched) -> str | None:
    sent = json_object(answer.body).get("sentMessages")
    first = sent[0] if isinstance(sent, list) and sent and isinstance(sent[0], dict) else {}
    identity = first.get("id")
    return identity if isinstance(identity, str) else None
