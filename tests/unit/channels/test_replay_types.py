"""Whose payload it is, by its shape."""

import orjson
import pytest

from chatbot.channels.replay import types_of


@pytest.mark.parametrize(
    ("payload", "types"),
    [
        ({"update_id": 1, "message": {}}, ("telegram", "bale")),
        ({"object": "whatsapp_business_account", "entry": []}, ("whatsapp",)),
        ({"object": "page", "entry": []}, ("messenger",)),
        ({"object": "instagram", "entry": []}, ("instagram",)),
        ({"type": "event_callback", "event": {"type": "message"}}, ("slack",)),
        ({"type": "url_verification", "challenge": "c"}, ("slack",)),
        (b"payload=%7B%22type%22%3A%22block_actions%22%7D", ("slack",)),
        (b"command=%2Fhelp&team_id=T1&text=", ("slack",)),
        ({"destination": "U1", "events": []}, ("line",)),
        ({"event": "message", "message_token": 1}, ("viber",)),
        (b"MessageSid=SM1&From=%2B15550002222&Body=hi", ("sms",)),
        ({"MessageSid": "SM1", "Body": "hi"}, ("sms",)),
        ({"session_id": "s", "message_id": "m", "text": "hi"}, ("web", "webhook")),
        ({"session_id": "s", "type": "message", "event": {}}, ("web", "webhook")),
        ({"hello": "world"}, ()),
        (b"{not json", ()),
        (b"\xff\xfe", ()),
        (b"", ()),
        (b"[1]", ()),
    ],
)
def test_a_payload_tells_whose_it_is(payload: object, types: tuple[str, ...]) -> None:
    assert types_of(payload if isinstance(payload, bytes) else orjson.dumps(payload)) == types
