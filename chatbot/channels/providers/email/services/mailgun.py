"""Mailgun: routes that post a mail as a form, and event webhooks in JSON, both signed over time and token."""

from collections.abc import Mapping
from typing import Any

import orjson

from chatbot.channels.contract import Malformed, Refused, Request
from chatbot.channels.events import InboundEvent, ReceiptStatus
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.channels.providers.email.forms import Form, read_form
from chatbot.channels.providers.email.mail import Mail, headers_of
from chatbot.channels.providers.email.mime import read_mail, readable
from chatbot.channels.providers.email.parse import event_of
from chatbot.channels.providers.email.services.base import EmailAccount, json_object, pairs, receipt, unix_time, word
from chatbot.channels.signing import hmac_hex, require_fresh, require_same

_STATUSES: Mapping[str, ReceiptStatus] = {
    "accepted": "sent", "delivered": "delivered", "opened": "read", "rejected": "failed", "failed": "failed"
}  # fmt: skip


class Mailgun:
    """The service."""

    def verify(self, account: EmailAccount, request: Request, now: float) -> None:
        """Hex HMAC-SHA256 over timestamp and token, all three in the body."""
        timestamp, token, signature = _proof(request)
        key = account.credentials.signing_key
        expected = hmac_hex(key.get_secret_value(), (timestamp + token).encode()) if key else ""
        require_same(signature.lower(), expected)
        require_fresh(timestamp, now)

    def once(self, request: Request) -> str:
        """The token: whoever has seen one request could put any body behind its signature."""
        return _proof(request)[1]

    def parse(self, account: EmailAccount, request: Request) -> list[InboundEvent]:
        """One event or one mail."""
        if _is_json(request):
            return [_event(json_object(request.body))]
        return [event_of(account, _mail(read_form(request)))]

    def missing(self, credentials: EmailCredentials) -> str:
        """The signing key."""
        return "" if credentials.signing_key else "signing_key"


def _is_json(request: Request) -> bool:
    return "json" in request.headers.get("content-type", "") or request.body.lstrip()[:1] == b"{"


def _proof(request: Request) -> tuple[str, str, str]:
    try:
        if _is_json(request):
            signed = json_object(request.body).get("signature")
            signed = signed if isinstance(signed, dict) else {}
            found = tuple(word(signed.get(name)) for name in ("timestamp", "token", "signature"))
        else:
            form = read_form(request)
            found = tuple(form.text(name).strip() for name in ("timestamp", "token", "signature"))
    except Malformed:
        raise Refused("missing") from None
    if not all(found):
        raise Refused("missing")
    return found[0], found[1], found[2]


def _event(body: Mapping[str, Any]) -> InboundEvent:
    data = body.get("event-data")
    if not isinstance(data, dict):
        raise Malformed("the body has no event-data object")
    name = word(data.get("event"))
    # A temporary failure is tried again by Mailgun: nothing final.
    final = name != "failed" or data.get("severity") != "temporary"
    message = data.get("message")
    headers = message.get("headers") if isinstance(message, dict) else {}
    status = data.get("delivery-status")
    status = status if isinstance(status, dict) else {}
    return receipt(
        word(data.get("id"))[:190] or f"{name}:{word(data.get('timestamp'))}",
        name,
        _STATUSES if final else {},
        data,
        message_id=word(headers.get("message-id")) if isinstance(headers, dict) else "",
        reason=word(status.get("message")) or word(status.get("description")) or word(data.get("reason")),
        at=unix_time(data.get("timestamp")),
    )


def _mail(form: Form) -> Mail:
    """The raw mail where the route asks for it, else put together from the fields."""
    if form.fields.get("body-mime", b"").strip():
        return read_mail(form.fields["body-mime"])
    headers = _headers(form)
    if not any(name.lower() == "from" for name, _ in headers):
        raise Malformed("the form has neither body-mime nor from")
    plain, html = form.text("body-plain"), form.text("body-html")
    text = readable("text/plain", plain) if plain.strip() else readable("text/html", html)
    return Mail(headers_of(headers), text, tuple(form.files))


def _headers(form: Form) -> list[tuple[str, str]]:
    try:
        headers = list(pairs(orjson.loads(form.fields.get("message-headers", b"[]"))))
    except ValueError:
        headers = []
    present = {name.lower() for name, _ in headers}
    fields = {"from": ("from", "From", "sender"), "to": ("To", "recipient"), "subject": ("subject", "Subject"),
              "message-id": ("Message-Id",), "in-reply-to": ("In-Reply-To",), "references": ("References",),
              "reply-to": ("Reply-To",), "date": ("Date",), "auto-submitted": ("Auto-Submitted",)}  # fmt: skip
    headers += [(name, form.text(*given)) for name, given in fields.items() if name not in present and form.text(*given)]
    if "sender" in form.fields and not form.text("sender").strip("<> "):
        headers.append(("return-path", "<>"))
    return headers
