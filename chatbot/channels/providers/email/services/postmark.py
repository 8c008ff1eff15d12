"""Postmark: a mail as JSON, proven by our secret in the path or basic authentication."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from chatbot.channels.contract import Malformed, Request
from chatbot.channels.events import InboundEvent, ReceiptStatus
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.channels.providers.email.mail import File, Mail, headers_of
from chatbot.channels.providers.email.mime import MAX_FILE_BYTES, read_mail, readable
from chatbot.channels.providers.email.parse import event_of
from chatbot.channels.providers.email.services.base import (
    EmailAccount,
    json_object,
    objects,
    receipt,
    require_token_or_login,
    word,
)

_STATUSES: Mapping[str, ReceiptStatus] = {"Delivery": "delivered", "Open": "read", "Bounce": "failed"}
_FIELDS = {"from": "From", "to": "To", "cc": "Cc", "subject": "Subject", "reply-to": "ReplyTo", "date": "Date"}


class Postmark:
    """The service."""

    def verify(self, account: EmailAccount, request: Request, now: float) -> None:  # noqa: ARG002
        """It signs nothing."""
        require_token_or_login(account, request)

    def parse(self, account: EmailAccount, request: Request) -> list[InboundEvent]:
        """One mail, or one record about a mail of ours."""
        body = json_object(request.body)
        if "RecordType" in body:
            return [_record(body)]
        if not isinstance(body.get("From"), str):
            raise Malformed("the body has no From")
        return [event_of(account, _mail(body))]

    def missing(self, credentials: EmailCredentials) -> str:  # noqa: ARG002
        """Nothing: our secret in the webhook's path is enough."""
        return ""


def _record(body: Mapping[str, Any]) -> InboundEvent:
    """Postmark names our mails by its own ids, unless the mail asked it to keep ours."""
    name = word(body.get("RecordType"))
    own = word(body.get("MessageID"))
    return receipt(
        f"postmark:{name}:{word(body.get('ID')) or own}"[:190],
        name,
        _STATUSES,
        body,
        message_id=own,
        reason=word(body.get("Description")) or word(body.get("Details")),
    )


def _mail(body: Mapping[str, Any]) -> Mail:
    plain, html = word(body.get("TextBody")), word(body.get("HtmlBody"))
    if not plain.strip() and not html.strip() and word(body.get("RawEmail")):
        return read_mail(word(body.get("RawEmail")).encode("utf-8", "surrogateescape"))
    files = [_file(item) for item in objects(body.get("Attachments"))]
    return Mail(
        headers_of(_headers(body)),
        readable("text/plain", plain) if plain.strip() else readable("text/html", html),
        tuple(file for file in files if len(file.content) <= MAX_FILE_BYTES),
        left_out=tuple(file.name for file in files if len(file.content) > MAX_FILE_BYTES),
    )


def _headers(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    headers = [(word(item.get("Name")), word(item.get("Value"))) for item in objects(body.get("Headers"))]
    present = {name.lower() for name, _ in headers}
    headers += [(name, word(body.get(key))) for name, key in _FIELDS.items() if name not in present and body.get(key)]
    if "message-id" not in present and body.get("MessageID"):
        headers.append(("message-id", f"<{word(body['MessageID'])}@inbound.postmarkapp.com>"))
    recipient = word(body.get("OriginalRecipient"))
    return [*headers, ("x-original-to", recipient)] if recipient else headers


def _file(item: Mapping[str, Any]) -> File:
    try:
        content = base64.b64decode(word(item.get("Content")) or word(item.get("Data")))
    except (binascii.Error, ValueError):
        content = b""
    return File(word(item.get("Name")), word(item.get("ContentType")) or "application/octet-stream", content)
