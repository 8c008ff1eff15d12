"""Accounts of Meta's channels, their signed requests, and payloads in Meta's envelopes."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from chatbot.channels.contract import Account, Request
from chatbot.channels.events import InboundEvent
from chatbot.channels.providers.meta import INSTAGRAM, MESSENGER, WHATSAPP
from chatbot.channels.providers.meta.credentials import (
    InstagramCredentials,
    MessengerCredentials,
    WhatsAppCredentials,
)
from tests.unit.channels import peer

APP_SECRET = "app-secret-of-the-tests"
TOKEN = "EAAtokenOfTheTests0123456789"
NUMBER = "106540352242922"
WEBHOOK = "https://gateway.example/webhooks/whatsapp/1"
_BOTH = {"app_secret": APP_SECRET, "access_token": TOKEN}


def _account(credentials: Any) -> Account[Any]:
    return peer.account(credentials, "verify-me", WEBHOOK)


def whatsapp(**given: Any) -> Account[WhatsAppCredentials]:
    return _account(WhatsAppCredentials.model_validate({**_BOTH, "phone_number_id": NUMBER, **given}))


def messenger(**given: Any) -> Account[MessengerCredentials]:
    return _account(MessengerCredentials.model_validate({**_BOTH, **given}))


def instagram(**given: Any) -> Account[InstagramCredentials]:
    return _account(InstagramCredentials.model_validate({**_BOTH, **given}))


def signed(body: bytes, secret: str = APP_SECRET) -> Request:
    """A POST as Meta makes it."""
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Request("POST", WEBHOOK, {"x-hub-signature-256": f"sha256={signature}"}, body)


def asked(**query: str) -> Request:
    """The GET with which Meta asks whether we are there."""
    return Request("GET", WEBHOOK, {}, b"", {name.replace("__", "."): value for name, value in query.items()})


def of_whatsapp(payload: object) -> list[InboundEvent]:
    return WHATSAPP.parse(whatsapp(), signed(json.dumps(payload).encode()))


def of_messenger(payload: object) -> list[InboundEvent]:
    return MESSENGER.parse(messenger(), signed(json.dumps(payload).encode()))


def of_instagram(payload: object) -> list[InboundEvent]:
    return INSTAGRAM.parse(instagram(), signed(json.dumps(payload).encode()))


def change(value: Mapping[str, Any], field: str = "messages", entry_id: str = "waba-1") -> dict[str, Any]:
    """A WhatsApp payload of one change."""
    metadata = {"display_phone_number": "15550783881", "phone_number_id": NUMBER}
    told = {"messaging_product": "whatsapp", "metadata": metadata, **value}
    changes = [{"field": field, "value": told}]
    return {"object": "whatsapp_business_account", "entry": [{"id": entry_id, "changes": changes}]}


def said(message: Mapping[str, Any], **contact: Any) -> dict[str, Any]:
    """A WhatsApp payload of one message of one customer."""
    known = {"profile": {"name": "Sara"}, "wa_id": "989121234567", "user_id": "IR.1001", **contact}
    base = {"from": "989121234567", "id": "wamid.in1", "timestamp": "1772998024"}
    return change({"contacts": [known], "messages": [{**base, **message}]})


def told(event: Mapping[str, Any], about: str = "page", key: str = "messaging") -> dict[str, Any]:
    """A payload of Messenger or Instagram with one event of a customer."""
    base = {"sender": {"id": "customer-1"}, "recipient": {"id": "page-1"}, "timestamp": 1772998024000}
    return {"object": about, "entry": [{"id": "page-1", "time": 1772998025000, key: [{**base, **event}]}]}


def refusal(code: int, **error: Any) -> dict[str, Any]:
    """An error in the Graph API's form."""
    return {"error": {"message": f"(#{code}) said Meta", "type": "OAuthException", "code": code, **error}}
