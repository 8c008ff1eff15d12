"""Twilio's recorded forms and signature cases."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from chatbot.channels.contract import Request
from chatbot.channels.events import Message, Receipt, Unsupported
from chatbot.channels.providers.twilio import SMS, TwilioCredentials
from tests.contract.channels.signed import accepted
from tests.unit.channels.peer import account

URL = "https://gw.example.com/webhooks/sms/1"
EXPECTED: dict[str, Any] = {
    "chatwoot_delivery_status_service_spec_L35_params.json": Receipt,
    "chatwoot_delivery_status_service_spec_L49_params.json": Unsupported,
    "chatwoot_delivery_status_service_spec_L80_params.json": Receipt,
    "chatwoot_incoming_message_service_spec_L132_params.json": Message,
    "chatwoot_incoming_message_service_spec_L160_params.json": Message,
    "chatwoot_incoming_message_service_spec_L41_params.json": Message,
    "chatwoot_incoming_message_service_spec_L73_params.json": Message,
}


@pytest.fixture
def vectors(shared_dir: Path) -> Path:
    return shared_dir / "channels" / "vectors" / "twilio_sms"


def test_every_recorded_form_is_read(vectors: Path) -> None:
    credentials = TwilioCredentials(account_sid="AC1", auth_token="t", phone_number="+1555")
    read = {}
    for file in sorted((vectors / "inbound").iterdir()):
        body = urlencode(json.loads(file.read_text())).encode()
        [event] = SMS.parse(account(credentials), Request("POST", URL, {}, body))
        assert event.thread.startswith("+1234")
        read[file.name] = type(event.content)
    assert read == EXPECTED


def test_signature_cases(vectors: Path) -> None:
    cases = json.loads((vectors / "signature.json").read_text())["vectors"]
    assert len(cases) >= 7
    for case in cases:
        content_type = case.get("content_type", "application/x-www-form-urlencoded")
        body = case["body"] if "body" in case else urlencode([tuple(pair) for pair in case["params"]])
        headers = {name.lower(): value for name, value in case["headers"].items()} | {"content-type": content_type}
        request = Request("POST", case["url"], headers, body.encode())
        here = account(TwilioCredentials(account_sid="AC1", auth_token=case["secret"], phone_number="+1555"))
        assert accepted(SMS, here, request) == case["valid"], case
