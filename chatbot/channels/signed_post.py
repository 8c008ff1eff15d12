"""Messages told to a program of the operator's own: one signed POST by Standard Webhooks (standardwebhooks.com)."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from chatbot.channels.contract import Call, Finding, Outcome, Permanent, RetryAfter, Sent
from chatbot.channels.http_answers import clipped, json_object, retry_seconds
from chatbot.channels.outgoing import Outgoing
from chatbot.channels.pieces import pieces
from chatbot.channels.signing import standard_webhook_headers, timestamped_signature
from chatbot.core import correlation
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.core.safe_address import AddressRefused
from chatbot.core.safe_http import Fetched, OutgoingFailed, SafeHttp

MAX_TEXT = 100_000
_GONE = 410
_MOST_SAID = 800  # bytes of an answer that an operator is shown of


def message_calls(message: Outgoing) -> list[Call]:
    """Give a message its form, Markdown as it is; what comes with the text comes with its last piece."""
    texts = pieces(message.text, MAX_TEXT)
    bodies = [_body(message, text) for text in texts]
    bodies[-1]["message"] |= {
        "buttons": [_without_empty(title=b.title, id=b.id, url=b.url) for b in message.buttons],
        "media": [_without_empty(kind=m.kind, url=m.url, name=m.name, mime=m.mime) for m in message.media],
        "sources": [{"index": s.index, "title": s.title, "url": s.url} for s in message.sources],
    }
    return [Call("message", body) for body in bodies]


async def post_signed(
    url: str, secrets: Sequence[str], body: Mapping[str, Any], http: SafeHttp, *, delivery_id: UUID
) -> Outcome:
    """POST a body, signed by each of the secrets that count; the newest is the first.

    `delivery_id` is its `webhook-id`, by which the receiver knows a repetition.

    Any 2xx is taken as received. 410 means never again; anything else is tried again, as the standard asks.

    Raises:
        OutgoingFailed: the receiver could not be reached.
    """
    try:
        answer = await _post(url, secrets, body, http, delivery_id=delivery_id)
    except AddressRefused as refused:
        return Permanent(clipped(refused.detail))
    if 200 <= answer.status < 300:
        return Sent(_message_id(answer, body) or str(delivery_id))
    words = _words(answer, secrets)
    if answer.status == _GONE:
        return Permanent(words)
    return RetryAfter(words, retry_seconds(answer), rate_limited=answer.status == 429)


async def ping(url: str, secrets: Sequence[str], http: SafeHttp) -> Finding:
    """Send a signed `{"type": "ping"}` and say how it was answered; never raises."""
    try:
        answer = await _post(url, secrets, {"type": "ping"}, http, delivery_id=new_id())
    except (OutgoingFailed, AddressRefused) as error:
        return Finding("webhook_url", ok=False, words=error.detail)
    ok = 200 <= answer.status < 300
    words = "The address takes our signed POST." if ok else f"The address answered a signed POST with {answer.status}."
    return Finding("webhook_url", ok=ok, words=words)


def _words(answer: Fetched, secrets: Sequence[str]) -> str:
    """The status and the beginning of what the receiver said, on one line, without our secrets."""
    said = " ".join(answer.body[:_MOST_SAID].decode(errors="replace").split())
    for secret in secrets:
        said = said.replace(secret, "…")
    told = f"The address answered HTTP {answer.status}"
    return clipped(f"{told}: {said}") if said else told


async def _post(
    url: str, secrets: Sequence[str], body: Mapping[str, Any], http: SafeHttp, *, delivery_id: UUID
) -> Fetched:
    raw = orjson.dumps(body)
    now = int(utcnow().timestamp())
    headers = {
        "Content-Type": "application/json",
        correlation.HEADER: correlation.current(),
        **standard_webhook_headers(secrets, str(delivery_id), now, raw),
        # The proof that our own webhooks take, so that a program can check with what it signs with; there is one of it.
        "X-Timestamp": str(now),
        "X-Signature": timestamped_signature(secrets[0], str(now), raw),
    }
    return await http.request("POST", url, headers=headers, body=raw)


def _body(message: Outgoing, text: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": message.message_id,
        "text": text,
        "language": message.language,
        "by_person": message.by_person,
        "buttons": [],
        "media": [],
        "sources": [],
    }
    return {
        "type": "message",
        "session_id": message.thread,
        "message": told,
        "metadata": message.context.get("metadata") or {},
    }


def _without_empty(**fields: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}


def _message_id(answer: Fetched, body: Mapping[str, Any]) -> str | None:
    """The id by which receipts, edits and quotes name the message: the receiver's own, else ours."""
    own = json_object(answer.body).get("message_id")
    if isinstance(own, str) and 0 < len(own) <= 200:
        return own
    return (body.get("message") or {}).get("id") or None
