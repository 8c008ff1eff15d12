"""Whatever a provider sends, parsing gives events or says what is wrong: any JSON, in any field."""

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot.channels.contract import Malformed, Provider, Request
from chatbot.channels.providers.line import LINE, LineCredentials
from chatbot.channels.providers.twilio import SMS, TwilioCredentials
from chatbot.channels.providers.viber import VIBER, ViberCredentials
from chatbot.channels.providers.webhook import WEBHOOK, WebhookCredentials
from tests.unit.channels.peer import account, posted

ACCOUNTS: list[tuple[Provider[Any], Any]] = [
    (LINE, account(LineCredentials(channel_secret="s", channel_access_token="t"))),
    (VIBER, account(ViberCredentials(auth_token="t"))),
    (WEBHOOK, account(WebhookCredentials(webhook_url="https://example.com"), "s")),
]
WORDS = [
    "message", "text", "image", "sticker", "location", "postback", "unsend", "messageEdited", "seen", "failed",
    "webhook", "picture", "contact", "receipt", "reaction", "edited", "deleted", "choice", "standby", "group", "user",
    "external",
]  # fmt: skip
FIELDS = [
    "type", "event", "events", "message", "source", "sender", "user", "message_token", "timestamp", "mode", "postback",
    "data", "params", "unsend", "messageId", "id", "text", "location", "lat", "lon", "latitude", "longitude",
    "contact", "contacts", "media", "session_id", "message_id", "attachments", "content", "url", "choice",
    "status", "before", "at", "metadata", "emoji",
    "contentProvider", "tracking_data", "keywords", "webhookEventId", "replyToken", "userId",
]  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20), st.sampled_from(WORDS),
)  # fmt: skip
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=8),
    max_leaves=25,
)
STEADY = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
BODY = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=10)


@pytest.mark.parametrize(("provider", "here"), ACCOUNTS, ids=["line", "viber", "webhook"])
@STEADY
@given(body=BODY, kind=st.sampled_from(WORDS))
def test_any_json_is_read_or_refused_with_words(provider: Provider[Any], here: Any, body: Any, kind: str) -> None:
    told = {"session_id": "s", "message_id": "m", "type": kind, "event": kind, **body}
    for whole in (told, {"events": [told]}):
        try:
            events = provider.parse(here, posted(orjson.dumps(whole)))
        except Malformed:
            continue
        assert all(event.thread and 0 < len(event.id) <= 200 for event in events)
        assert all(orjson.dumps(dict(event.context)) for event in events)


@STEADY
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "MessageSid",
                "From",
                "To",
                "Body",
                "NumMedia",
                "MediaUrl0",
                "MessageStatus",
                "SmsStatus",
                "Latitude",
                "Longitude",
                "OptOutType",
                "ButtonPayload",
                "CallSid",
                "Sid",
            ]
        ),
        st.text(max_size=12) | st.sampled_from(["1", "nan", "²"]),
    )
)
def test_any_form_is_read_or_refused_with_words(fields: dict[str, str]) -> None:  # fmt: skip
    here = account(TwilioCredentials(account_sid="AC1", auth_token="t", phone_number="+1555"))
    try:
        events = SMS.parse(here, Request("POST", "https://e.com", {}, urlencode(fields).encode()))
    except Malformed:
        return
    assert all(event.thread and 0 < len(event.id) <= 200 for event in events)
