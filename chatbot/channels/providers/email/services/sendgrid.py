"""SendGrid: Inbound Parse (a form, unsigned) and the event webhook (JSON, signed by ECDSA)."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from chatbot.channels.contract import Malformed, Refused, Request
from chatbot.channels.events import InboundEvent, ReceiptStatus
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.channels.providers.email.forms import Form, read_form
from chatbot.channels.providers.email.mail import Mail, headers_of
from chatbot.channels.providers.email.mime import read_mail, readable
from chatbot.channels.providers.email.parse import event_of
from chatbot.channels.providers.email.services.base import (
    EmailAccount,
    json_body,
    objects,
    receipt,
    require_token_or_login,
    unix_time,
    word,
)
from chatbot.channels.signing import header, require_fresh

_SIGNATURE = "x-twilio-email-event-webhook-signature"
_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
_SIGNED = re.compile(r"@(?P<domain>[A-Za-z0-9._-]+)\s*:\s*(?P<result>[a-z]+)")
_STATUSES: Mapping[str, ReceiptStatus] = {
    "processed": "sent", "delivered": "delivered", "open": "read", "bounce": "failed", "dropped": "failed"
}  # fmt: skip


class SendGrid:
    """The service."""

    def verify(self, account: EmailAccount, request: Request, now: float) -> None:
        """Events prove themselves by their signature, mail by our secret in the path or basic authentication."""
        if _SIGNATURE not in request.headers:
            require_token_or_login(account, request)
            return
        timestamp = header(request, _TIMESTAMP)
        _require_signed(account.credentials.public_key, header(request, _SIGNATURE), timestamp.encode() + request.body)
        require_fresh(timestamp, now)

    def parse(self, account: EmailAccount, request: Request) -> list[InboundEvent]:
        """A list of events, or one mail."""
        if "json" in request.headers.get("content-type", "") or request.body[:1] == b"[":
            return _events(json_body(request.body))
        return [event_of(account, _mail(read_form(request)))]

    def missing(self, credentials: EmailCredentials) -> str:  # noqa: ARG002
        """Nothing: our secret in the webhook's path is enough."""
        return ""


def _require_signed(public_key: str, signature: str, message: bytes) -> None:
    """ECDSA P-256 with SHA-256; the key is base64 of a SubjectPublicKeyInfo."""
    try:
        key = load_der_public_key(base64.b64decode(public_key, validate=True))
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise Refused("wrong")
        key.verify(base64.b64decode(signature, validate=True), message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        raise Refused("wrong") from None


def _events(body: object) -> list[InboundEvent]:
    if not isinstance(body, list):
        raise Malformed("the body is not a JSON list of events")
    return [_event(item) for item in objects(body)]


def _event(item: Mapping[str, Any]) -> InboundEvent:
    digest = hashlib.sha256(orjson.dumps(item, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return receipt(
        word(item.get("sg_event_id"))[:190] or f"sha256:{digest}",
        word(item.get("event")),
        _STATUSES,
        item,
        message_id=word(item.get("smtp-id")),
        reason=word(item.get("reason")),
        at=unix_time(item.get("timestamp")),
    )


def _mail(form: Form) -> Mail:
    """The raw mail where SendGrid was told to post it, else put together from the fields."""
    verified = _verified(form)
    if form.fields.get("email", b"").strip():
        return replace(read_mail(form.fields["email"]), verified=verified)
    charsets = _charsets(form)
    headers = list(read_mail(form.fields.get("headers", b"").lstrip() + b"\n\n").headers)
    present = {name.lower() for name, _ in headers}
    for name in ("from", "to", "cc", "subject"):
        if name not in present and form.text(name, charsets=charsets):
            headers.append((name, form.text(name, charsets=charsets)))
    if not any(name.lower() == "from" for name, _ in headers):
        raise Malformed("the form has neither email nor from")
    headers += _return_path(form)
    plain = form.text("text", charsets=charsets)
    html = form.text("html", charsets=charsets)
    text = readable("text/plain", plain) if plain.strip() else readable("text/html", html)
    return Mail(headers_of(headers), text, tuple(form.files), verified=verified)


def _charsets(form: Form) -> dict[str, str]:
    try:
        found = orjson.loads(form.fields.get("charsets", b"{}"))
    except ValueError:
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


def _return_path(form: Form) -> list[tuple[str, str]]:
    """An envelope without a sender is a bounce."""
    return [("return-path", "<>")] if _envelope(form).get("from") == "" else []


def _envelope(form: Form) -> dict[str, Any]:
    try:
        envelope = orjson.loads(form.fields.get("envelope", b"{}"))
    except ValueError:
        return {}
    return envelope if isinstance(envelope, dict) else {}


def _verified(form: Form) -> tuple[str, ...]:
    """The domains of signatures that hold (`{@example.com : pass}`), and the envelope's where SPF passes."""
    signed = [found["domain"] for found in _SIGNED.finditer(form.text("dkim")) if found["result"] == "pass"]
    if form.text("SPF").strip().lower() != "pass":
        return tuple(signed)
    return (*signed, word(_envelope(form).get("from")).rpartition("@")[2].strip("<> "))
