"""LINE's recorded events and signature cases."""

import json
from pathlib import Path
from typing import Any

import pytest

from chatbot.channels.events import Deleted, Followed, Message, Unsupported
from chatbot.channels.providers.line import LINE, LineCredentials
from tests.contract.channels.signed import accepted
from tests.unit.channels.peer import account, posted

EXPECTED: dict[str, list[Any]] = {
    "chatwoot_incoming_message_service_spec_L38_image_params.json": [Message, Followed],
    "chatwoot_incoming_message_service_spec_L73_video_params.json": [Message, Followed],
    "line_sdk_00_message_text_user.json": [Message],
    "line_sdk_03_message_audio_user.json": [Message],
    "line_sdk_04_message_location_user.json": [Message],
    "line_sdk_05_message_sticker_user.json": [Message],
    "line_sdk_11_beacon_user.json": [Unsupported],
    "line_sdk_12_beacon_user.json": [Unsupported],
    "line_sdk_13_accountLink_user.json": [Unsupported],
    "line_sdk_22_unsend_group.json": [Deleted],
    "line_sdk_23_videoPlayComplete_user.json": [Unsupported],
    "line_sdk_25_message_text_user.json": [Message],
    "line_sdk_27_undefined_user.json": [Unsupported],
}


def credentials(secret: str = "s") -> LineCredentials:
    return LineCredentials(channel_secret=secret, channel_access_token="t")


@pytest.fixture
def vectors(shared_dir: Path) -> Path:
    return shared_dir / "channels" / "vectors" / "line"


def test_every_recorded_event_is_read(vectors: Path) -> None:
    read = {}
    for file in sorted((vectors / "inbound").iterdir()):
        events = LINE.parse(account(credentials()), posted(file.read_bytes()))
        assert len({event.id for event in events}) == len(events)
        read[file.name] = [type(event.content) for event in events]
    assert read == EXPECTED


def test_signature_cases(vectors: Path) -> None:
    cases = json.loads((vectors / "signature.json").read_text())["vectors"]
    assert {case["valid"] for case in cases} == {True, False}
    for case in cases:
        request = posted(case["body"].encode(), **case["headers"])
        assert accepted(LINE, account(credentials(case["secret"])), request) == case["valid"], case
