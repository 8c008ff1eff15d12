"""Payloads of Telegram that other projects recorded: each is read, and as what it is."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from chatbot.channels.contract import Refused
from chatbot.channels.events import Message, Reaction, Unfollowed, Unsupported
from chatbot.channels.providers.telegram import TELEGRAM
from tests.unit.channels.telegram_peer import account, posted

SERVICE = {
    "teloxide_message_02_de_shared_chat.json": "message.chat_shared",
    "teloxide_message_08_issue_427.json": "message.migrate_to_chat_id",
    "teloxide_message_09_issue_427.json": "message.migrate_from_chat_id",
    "teloxide_message_11_issue_475.json": "message.video_chat_started",
    "teloxide_message_13_topic_created.json": "message.forum_topic_created",
    "teloxide_message_16_issue_874.json": "message.forum_topic_closed",
    "teloxide_message_18_giveaway_created.json": "message.giveaway_created",
    "teloxide_message_19_giveaway_completed.json": "message.giveaway_completed",
    "teloxide_message_20_giveaway_winners.json": "message.giveaway_winners",
    "teloxide_message_25_suggested_post_paid.json": "message.suggested_post_paid",
    "teloxide_message_26_suggested_post_refunded.json": "message.suggested_post_refunded",
    "teloxide_update_05_pinned_message_works.json": "message.pinned_message",
    "teloxide_update_11_message_reaction_count_updated.json": "message_reaction_count",
    "teloxide_update_14_paid_media_purchased_de.json": "purchased_paid_media",
}
SAID: dict[str, Any] = {
    "aiogram_test_dispatcher__raw_update.json": "test",
    "chatwoot_incoming_message_service_spec_L48_params.json": "test",
    "chatwoot_incoming_message_service_spec_L76_params.json": "test",
    "teloxide_message_04_de_text.json": "Лол кек 😂",
    "teloxide_update_04_de_private_chat_text_message.json": "4",
    "teloxide_update_06_dice_works.json": "🎲 2",
    "vercel_telegram__mention.json": "@vercelchatsdkbot hi",
    "chatwoot_incoming_message_service_spec_L185_params.json": "voice",
    "chatwoot_incoming_message_service_spec_L225_params.json": "document",
    "chatwoot_incoming_message_service_spec_L95_params.json": "audio",
    "teloxide_message_01_de_media_forwarded.json": "video",
    "teloxide_message_05_de_sticker.json": "sticker",
    "teloxide_message_06_de_image.json": "image",
    "teloxide_message_12_parse_caption_entities.json": "image",
    "chatwoot_incoming_message_service_spec_L260_params.json": 37.7893768,
    "chatwoot_incoming_message_service_spec_L315_params.json": "+918660944581",
    "chatwoot_incoming_message_service_spec_L286_params.json": "Option 1",
}


def gist(message: Message) -> Any:
    """What a message is about, in one value."""
    if message.media:
        return message.media[0].kind
    if message.location:
        return message.location.latitude
    if message.contacts:
        return message.contacts[0].phones[0]
    return message.choice.id if message.choice else message.text


def read(folder: Path, name: str) -> Any:
    events = TELEGRAM.parse(account(), posted((folder / name).read_bytes()))
    assert len(events) == 1
    assert events[0].thread or isinstance(events[0].content, Unsupported)
    return events[0].content


def test_every_recorded_payload_is_read_as_what_it_is(shared_dir: Path) -> None:
    folder = shared_dir / "channels/vectors/telegram/inbound"
    rest = {file.name for file in folder.glob("*.json")}
    for name, kind in SERVICE.items():
        assert read(folder, name) == Unsupported(kind)
    for name, said in SAID.items():
        assert gist(read(folder, name)) == said, name
    assert read(folder, "teloxide_update_08_issue_523.json") == Unfollowed()
    assert read(folder, "teloxide_update_09_message_reaction_updated.json") == Reaction("35", "🌭")
    assert read(folder, "teloxide_update_10_message_reaction_updated.json") == Reaction("2", None)
    assert rest - SERVICE.keys() - SAID.keys() == {
        "teloxide_update_08_issue_523.json",
        "teloxide_update_09_message_reaction_updated.json",
        "teloxide_update_10_message_reaction_updated.json",
    }


def test_every_recorded_proof_is_taken_or_refused(shared_dir: Path) -> None:
    vectors = orjson.loads((shared_dir / "channels/vectors/telegram/signature.json").read_bytes())["vectors"]
    assert {vector["valid"] for vector in vectors} == {True, False}
    for vector in vectors:
        headers = {name.lower(): value for name, value in vector["headers"].items()}
        request, bot = posted(b"{}", headers), account(secret=vector["secret"])
        if vector["valid"]:
            TELEGRAM.verify(bot, request, 0)
        else:
            with pytest.raises(Refused):
                TELEGRAM.verify(bot, request, 0)
