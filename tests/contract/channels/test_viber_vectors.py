"""Viber's recorded events and signature cases."""

import json
from pathlib import Path
from typing import Any

import pytest

from chatbot.channels.events import Followed, Message, Receipt, Unfollowed
from chatbot.channels.providers.viber import VIBER, ViberCredentials
from tests.contract.channels.signed import accepted
from tests.unit.channels.peer import account, posted

EXPECTED: dict[str, Any] = {
    "viber_sdk_unicode_message.json": Message,
    "viber_sdk_viber_conversation_started_request_1_conversation_started.json": Followed,
    "viber_sdk_viber_failed_request_0_failed.json": Receipt,
    "viber_sdk_viber_message_request_0_message.json": Message,
    "viber_sdk_viber_seen_request_0_seen.json": Receipt,
    "viber_sdk_viber_subscribed_request_0_subscribed.json": Followed,
    "viber_sdk_viber_unsubscribed_request_0_unsubscribed.json": Unfollowed,
}


@pytest.fixture
def vectors(shared_dir: Path) -> Path:
    return shared_dir / "channels" / "vectors" / "viber"


def test_every_recorded_event_is_read(vectors: Path) -> None:
    here, read = account(ViberCredentials(auth_token="t")), {}
    for file in sorted((vectors / "inbound").iterdir()):
        [event] = VIBER.parse(here, posted(file.read_bytes()))
        assert event.thread == "01234567890A="
        read[file.name] = type(event.content)
    assert read == EXPECTED


def test_signature_cases(vectors: Path) -> None:
    cases = json.loads((vectors / "signature.json").read_text())["vectors"]
    assert {case["valid"] for case in cases} == {True, False}
    for case in cases:
        request = posted(case["body"].encode(), **case["headers"])
        here = account(ViberCredentials(auth_token=case["secret"]))
        assert accepted(VIBER, here, request) == case["valid"], case
