"""Resend: signed webhooks that only announce a mail, which is then asked for."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from chatbot.channels.contract import Malformed, Request
from chatbot.channels.events import InboundEvent, ReceiptStatus
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.channels.providers.email.mail import Mail, headers_of
from chatbot.channels.providers.email.mime import read_mail, readable
from chatbot.channels.providers.email.parse import event_of
from chatbot.channels.providers.email.services.base import EmailAccount, json_object, receipt, word
from chatbot.channels.signing import verify_standard_webhook
from chatbot.core.safe_http import OutgoingFailed, SafeHttp

MAX_MAIL_BYTES = 35_000_000
_ANNOUNCED = "resend_email_id"
_STATUSES: Mapping[str, ReceiptStatus] = {
    "email.sent": "sent", "email.delivered": "delivered", "email.opened": "read", "email.bounced": "failed",
    "email.failed": "failed", "email.suppressed": "failed",
}  # fmt: skip


class Resend:
    """The service."""

    def verify(self, account: EmailAccount, request: Request, now: float) -> None:
        """Standard Webhooks under Svix' names."""
        secret = account.credentials.signing_secret
        verify_standard_webhook(secret.get_secret_value() if secret else "", request, now, prefix="svix")

    def parse(self, account: EmailAccount, request: Request) -> list[InboundEvent]:
        """One announced mail, or one event about a mail of ours."""
        body = json_object(request.body)
        data = body.get("data")
        if not isinstance(data, dict):
            raise Malformed("the body has no data object")
        name = word(body.get("type"))
        if name == "email.received":
            return [_received(account, data)]
        email_id = word(data.get("email_id"))
        bounce = data.get("bounce")
        return [
            receipt(
                request.headers.get("svix-id", "")[:190] or f"{name}:{email_id}"[:190],
                name,
                _STATUSES,
                data,
                message_id=word(data.get("message_id")) or email_id,
                reason=word(bounce.get("message")) if isinstance(bounce, dict) else "",
                at=_moment(body.get("created_at")),
            )
        ]

    def missing(self, credentials: EmailCredentials) -> str:
        """The webhook's secret and a key to read mail."""
        absent = {"signing_secret": credentials.signing_secret, "api_key": credentials.api_key}
        return ", ".join(name for name, value in absent.items() if value is None)


async def complete(account: EmailAccount, event: InboundEvent, http: SafeHttp) -> InboundEvent:
    """Ask for a mail that was announced only; any other event comes back as it is. Raises OutgoingFailed."""
    email_id = event.context.get(_ANNOUNCED)
    if not email_id:
        return event
    key = account.credentials.api_key
    headers = {"Authorization": f"Bearer {key.get_secret_value() if key else ''}"}
    address = f"{account.credentials.api_url.rstrip('/')}/emails/receiving/{quote(str(email_id), safe='')}"
    told = await http.request("GET", address, headers=headers, max_bytes=MAX_MAIL_BYTES)
    if told.status != 200:
        raise OutgoingFailed(f"Resend answered {told.status} when asked for a received mail.")
    try:
        data = json_object(told.body)
    except Malformed as error:
        raise OutgoingFailed(f"Resend's answer cannot be read: {error}.") from error
    raw = data.get("raw")
    url = word(raw.get("download_url")) if isinstance(raw, dict) else ""
    return event_of(account, await _download(url, http) if url else _mail(data))


async def _download(url: str, http: SafeHttp) -> Mail:
    fetched = await http.fetch(url, max_bytes=MAX_MAIL_BYTES)
    if fetched.status != 200:
        raise OutgoingFailed(f"Resend answered {fetched.status} when asked for the text of a received mail.")
    return read_mail(fetched.body)


def _received(account: EmailAccount, data: Mapping[str, Any]) -> InboundEvent:
    event = event_of(account, _mail(data))
    email_id = word(data.get("email_id"))
    if not email_id or "text" in data or "html" in data:
        return event
    return replace(event, context={**event.context, _ANNOUNCED: email_id})


def _mail(data: Mapping[str, Any]) -> Mail:
    given = data.get("headers")
    headers = [(name, word(value)) for name, value in given.items()] if isinstance(given, dict) else []
    present = {name.lower() for name, _ in headers}
    fields = {"from": "from", "to": "to", "cc": "cc", "reply-to": "reply_to", "subject": "subject",
              "message-id": "message_id"}  # fmt: skip
    headers += [(name, _joined(data.get(key))) for name, key in fields.items() if name not in present and data.get(key)]
    if not any(name.lower() == "from" for name, _ in headers):
        raise Malformed("data has no from")
    plain, html = word(data.get("text")), word(data.get("html"))
    return Mail(headers_of(headers), readable("text/plain", plain) if plain.strip() else readable("text/html", html))


def _joined(value: object) -> str:
    return ", ".join(map(word, value)) if isinstance(value, list) else word(value)


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(word(value))
    except ValueError:
        return None
