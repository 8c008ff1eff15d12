"""Payloads and signatures that other projects recorded of Meta's channels."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from chatbot.channels.contract import Account, Provider, Refused, Request
from chatbot.channels.events import (
    Choice,
    Deleted,
    Media,
    Message,
    Reaction,
    Receipt,
    Unsupported,
)
from chatbot.channels.providers.meta import INSTAGRAM, MESSENGER, WHATSAPP
from tests.unit.channels.meta_peer import instagram, messenger, signed, whatsapp

CHANNELS: dict[str, tuple[Provider[Any], Callable[[], Account[Any]]]] = {
    "whatsapp": (WHATSAPP, whatsapp),
    "messenger": (MESSENGER, messenger),
    "instagram": (INSTAGRAM, instagram),
}

EXPECTED: dict[str, dict[str, type]] = {
    "whatsapp": {
        "botpress_bsuid_status_failed": Receipt,
        "botpress_bsuid_username_only_message": Message,
        "pywa_account_update__account_deleted": Unsupported,
        "pywa_account_update__account_offboarded": Unsupported,
        "pywa_account_update__authentication_international_eligibility": Unsupported,
        "pywa_account_update__mm_api_for_wa_terms_of_service": Unsupported,
        "pywa_account_update__partner_added": Unsupported,
        "pywa_account_update__partner_app_uninstalled": Unsupported,
        "pywa_account_update__partner_led_business_verification_status": Unsupported,
        "pywa_call_terminate__call_terminate": Unsupported,
        "pywa_callback_button__button": Message,
        "pywa_callback_button__quick_reply": Message,
        "pywa_callback_button__quick_reply_without_context": Message,
        "pywa_callback_selection__callback": Message,
        "pywa_deleted_message__revoke": Deleted,
        "pywa_flow_completion__completion": Message,
        "pywa_message__audio": Message,
        "pywa_message__current_location": Message,
        "pywa_message__forwarded": Message,
        "pywa_message__image": Message,
        "pywa_message__interactive_message_with_err": Unsupported,
        "pywa_message__reaction": Reaction,
        "pywa_message__referral": Message,
        "pywa_message__unsupported_with_type": Unsupported,
        "pywa_message__video": Message,
        "pywa_message_status__delivered": Receipt,
        "pywa_message_status__failed": Receipt,
        "pywa_message_status__played": Receipt,
        "pywa_message_status__read": Receipt,
        "pywa_message_status__sent": Receipt,
        "pywa_message_status__with_tracker": Receipt,
        "pywa_template_components_update__element": Unsupported,
        "pywa_template_quality_update__yellow": Unsupported,
        "pywa_template_status_update__rejected": Unsupported,
        "pywa_user_marketing_preferences__resume": Unsupported,
        "pywa_user_marketing_preferences__signup": Unsupported,
        "vercel_dm_whatsapp__first_message": Message,
        "vercel_dm_whatsapp__second_message": Message,
    },
    "messenger": {
        "chatwoot_mocked_message_text": Message,
        "vercel_dm_messenger__delivery_confirmation": Receipt,
        "vercel_dm_messenger__first_message": Message,
        "vercel_dm_messenger__postback_click": Message,
        "vercel_dm_messenger__reaction_added": Reaction,
        "vercel_dm_messenger__reaction_removed": Reaction,
        "vercel_dm_messenger__read_confirmation": Receipt,
        "vercel_dm_messenger__second_message": Message,
    },
    "instagram": {
        "chatwoot_instagram_message_reply_event": Message,
        "chatwoot_instagram_message_standby_event": Unsupported,
        "chatwoot_instagram_shared_reel_event": Message,
        "chatwoot_instagram_story_mention_event": Message,
        "chatwoot_instagram_story_reply_event": Message,
        "chatwoot_instagram_test_event": Message,
        "chatwoot_instagram_test_text_event": Message,
        "vercel_dm_instagram__first_message": Message,
        "vercel_dm_instagram__quick_reply": Message,
        "vercel_dm_instagram__reaction_added": Reaction,
    },
}


def payload(shared_dir: Path, channel: str, name: str) -> bytes:
    return (shared_dir / "channels" / "vectors" / channel / "inbound" / f"{name}.json").read_bytes()


def only(shared_dir: Path, channel: str, name: str) -> Any:
    adapter, account = CHANNELS[channel]
    [event] = adapter.parse(account(), signed(payload(shared_dir, channel, name)))
    return event


@pytest.mark.parametrize("channel", list(CHANNELS))
def test_every_recorded_payload_is_read(shared_dir: Path, channel: str) -> None:
    folder = shared_dir / "channels" / "vectors" / channel / "inbound"
    names = {path.stem for path in folder.glob("*.json")}
    read = {name: type(only(shared_dir, channel, name).content) for name in names}
    assert read == EXPECTED[channel]


@pytest.mark.parametrize("channel", list(CHANNELS))
def test_every_recorded_event_is_known_again_and_told_apart(shared_dir: Path, channel: str) -> None:
    for name in EXPECTED[channel]:
        first, again = only(shared_dir, channel, name), only(shared_dir, channel, name)
        assert first.id == again.id
        assert 0 < len(first.id) <= 200
        assert first.thread
        assert bool(first.raw) == isinstance(first.content, Unsupported)


@pytest.mark.parametrize("channel", list(CHANNELS))
def test_recorded_signatures_are_judged_as_marked(shared_dir: Path, channel: str) -> None:
    told = json.loads((shared_dir / "channels" / "vectors" / channel / "signature.json").read_text())
    adapter, account = CHANNELS[channel]
    assert told["vectors"]
    for vector in told["vectors"]:
        given = account()
        credentials = given.credentials.model_copy(update={"app_secret": SecretStr(vector["secret"])})
        headers = {name.lower(): value for name, value in vector["headers"].items()}
        request = Request("POST", "https://gw.example.com/hook", headers, vector["body"].encode())
        judged: Account[Any] = Account(given.tenant_id, given.channel_id, given.secret, credentials)
        assert _accepted(adapter, judged, request) == vector["valid"], vector["source"]
        if "decoded_body" in vector:
            decoded = Request("POST", request.url, headers, vector["decoded_body"].encode())
            assert not _accepted(adapter, judged, decoded)


def _accepted(adapter: Provider[Any], account: Account[Any], request: Request) -> bool:
    try:
        adapter.verify(account, request, 0.0)
    except Refused:
        return False
    return True


def test_what_some_recorded_payloads_say(shared_dir: Path) -> None:
    nameless = only(shared_dir, "whatsapp", "botpress_bsuid_username_only_message")
    assert (nameless.thread, nameless.sender.id, nameless.sender.name) == (
        "CO.1047385771169864",
        "CO.1047385771169864",
        "Julian",
    )
    failed = only(shared_dir, "whatsapp", "botpress_bsuid_status_failed")
    assert failed.content.reason.startswith("WhatsApp cannot deliver to this customer: Message undeliverable")
    pressed = only(shared_dir, "messenger", "vercel_dm_messenger__postback_click")
    assert pressed.content.choice == Choice('chat:{"a":"hello"}', "Say Hello")
    removed = only(shared_dir, "messenger", "vercel_dm_messenger__reaction_removed")
    assert removed.content == Reaction("m_FAKE_MSG_ID_001", None)
    story = only(shared_dir, "instagram", "chatwoot_instagram_story_mention_event")
    assert story.content.media == (Media("image", "https://www.example.com/test.jpeg"),)
