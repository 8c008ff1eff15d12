"""Every kind of thing that WhatsApp tells."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chatbot.channels.events import (
    Choice,
    Contact,
    Content,
    Deleted,
    Echo,
    Edited,
    Followed,
    Location,
    Media,
    Message,
    Reaction,
    Receipt,
    Sender,
    Unsupported,
)
from tests.unit.channels.meta_peer import NUMBER, change, of_whatsapp, said

WORDS = {"type": "text", "text": {"body": "سلام"}}


def content(message: dict[str, Any]) -> Content:
    [event] = of_whatsapp(said(message))
    return event.content


def test_a_text_comes_with_its_sender_time_and_what_a_reply_needs() -> None:
    [event] = of_whatsapp(said(WORDS))
    assert event.content == Message(text="سلام")
    assert event.sender == Sender("IR.1001", "Sara", "989121234567")
    assert (event.id, event.thread, event.message_id) == ("wamid.in1", "IR.1001", "wamid.in1")
    assert event.at == datetime(2026, 3, 8, 19, 27, 4, tzinfo=UTC)
    assert event.context == {"message_id": "wamid.in1", "phone_number_id": NUMBER, "to": "989121234567"}
    assert event.raw == {}


def test_a_customer_without_a_phone_number_is_known_by_the_scoped_id() -> None:
    contact = {"profile": {"name": "", "username": "sara_k"}, "user_id": "IR.1001"}
    message = {"from_user_id": "IR.1001", "id": "wamid.in1", "timestamp": "1772998024", **WORDS}
    [event] = of_whatsapp(change({"contacts": [contact], "messages": [message]}))
    assert event.sender == Sender("IR.1001", "sara_k", "sara_k")
    assert (event.thread, event.context.get("to")) == ("IR.1001", None)


def test_an_older_payload_without_scoped_id_falls_back_to_the_number() -> None:
    [event] = of_whatsapp(change({"messages": [{"from": "989121234567", "id": "wamid.in1", **WORDS}]}))
    assert (event.sender, event.thread) == (Sender("989121234567", "", "989121234567"), "989121234567")


def test_each_of_several_contacts_is_found() -> None:
    contacts = [
        {"profile": {"name": name}, "wa_id": phone, "user_id": user}
        for name, phone, user in (("Ali", "1", "IR.1"), ("Sara", "2", "IR.2"))
    ]
    messages = [{"from": "2", "id": "wamid.2", **WORDS}, {"from": "1", "id": "wamid.1", **WORDS}]
    events = of_whatsapp(change({"contacts": contacts, "messages": messages}))
    assert [event.sender and event.sender.name for event in events] == ["Sara", "Ali"]


def test_every_entry_change_and_message_of_a_post_is_read_in_order() -> None:
    one = change({"messages": [{"from": "1", "id": f"wamid.{n}", **WORDS} for n in (1, 2)]})["entry"][0]
    two = change({"statuses": [{"id": "wamid.out", "status": "sent", "recipient_id": "1"}]})["entry"][0]
    three = change({"messages": [{"from": "3", "id": "wamid.3", **WORDS}]})["entry"][0]
    one["changes"] += two["changes"]
    events = of_whatsapp({"object": "whatsapp_business_account", "entry": [one, three]})
    assert [event.id for event in events] == ["wamid.1", "wamid.2", "wamid.out:sent", "wamid.3"]


def test_a_message_of_a_group_answers_to_the_group() -> None:
    [event] = of_whatsapp(said({"group_id": "group-7", **WORDS}))
    assert (event.thread, event.context["group"]) == ("group-7", "group-7")
    assert event.sender is not None
    assert event.sender.id == "IR.1001"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({**WORDS, "context": {"from": "1", "id": "wamid.q"}}, Message(text="سلام", in_reply_to="wamid.q")),
        ({**WORDS, "context": {"forwarded": True}}, Message(text="سلام")),
        ({**WORDS, "referral": {"source_url": "https://ad.example"}}, Message(text="سلام")),
        (
            {"type": "image", "image": {"id": "77", "mime_type": "image/jpeg", "caption": "this"}},
            Message(text="this", media=(Media("image", "77", "image/jpeg"),)),
        ),
        ({"type": "video", "video": {"id": "77"}}, Message(media=(Media("video", "77"),))),
        ({"type": "audio", "audio": {"id": "77", "voice": False}}, Message(media=(Media("audio", "77"),))),
        (
            {"type": "audio", "audio": {"id": "77", "voice": True, "mime_type": "audio/ogg; codecs=opus"}},
            Message(media=(Media("voice", "77", "audio/ogg; codecs=opus"),)),
        ),
        ({"type": "sticker", "sticker": {"id": "77", "animated": True}}, Message(media=(Media("sticker", "77"),))),
        (
            {"type": "document", "document": {"id": "77", "filename": "a.pdf", "mime_type": "application/pdf"}},
            Message(media=(Media("document", "77", "application/pdf", "a.pdf"),)),
        ),
        (
            {"type": "location", "location": {"latitude": 35.7, "longitude": "51.4", "name": "Shop", "address": "St"}},
            Message(location=Location(35.7, 51.4, "Shop", "St")),
        ),
        (
            {
                "type": "contacts",
                "contacts": [
                    {"name": {"formatted_name": "Ali R"}, "phones": [{"phone": "+98 1"}, {"wa_id": "982"}]},
                    {"name": {"first_name": "Mina", "last_name": "K"}, "emails": [{"email": "m@k.example"}, {}]},
                ],
            },
            Message(contacts=(Contact("Ali R", ("+98 1", "982")), Contact("Mina K", (), ("m@k.example",)))),
        ),
        (
            {
                "type": "interactive",
                "interactive": {"type": "button_reply", "button_reply": {"id": "y", "title": "Yes"}},
            },
            Message(choice=Choice("y", "Yes")),
        ),
        (
            {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "2", "title": "Two"}}},
            Message(choice=Choice("2", "Two")),
        ),
        (
            {
                "type": "interactive",
                "interactive": {
                    "type": "nfm_reply",
                    "nfm_reply": {
                        "name": "flow",
                        "body": "Sent",
                        "response_json": '{"flow_token":"t1","note":"x","n":2}',
                    },
                },
            },
            Message(text="note: x\nn: 2", choice=Choice("t1", "Sent")),
        ),
        (
            {
                "type": "interactive",
                "interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": "{", "name": "f"}},
            },
            Message(choice=Choice("f", "f")),
        ),
        ({"type": "button", "button": {"payload": "p", "text": "Stop"}}, Message(choice=Choice("p", "Stop"))),
        (
            {
                "type": "order",
                "order": {
                    "catalog_id": "c",
                    "text": "quickly",
                    "product_items": [
                        {"product_retailer_id": "tea", "quantity": 2, "item_price": 4.5, "currency": "USD"},
                        {"product_retailer_id": "cup"},
                    ],
                },
            },
            Message(text="quickly\n2 × tea (USD 4.5)\n1 × cup"),
        ),
        ({"type": "reaction", "reaction": {"message_id": "wamid.o", "emoji": "👍"}}, Reaction("wamid.o", "👍")),
        ({"type": "reaction", "reaction": {"message_id": "wamid.o", "emoji": ""}}, Reaction("wamid.o", None)),
        ({"type": "reaction", "reaction": {"message_id": "wamid.o"}}, Reaction("wamid.o", None)),
        (
            {"type": "edit", "edit": {"original_message_id": "wamid.0", "message": WORDS}},
            Edited("wamid.0", Message(text="سلام")),
        ),
        (
            {
                "type": "edit",
                "edit": {
                    "original_message_id": "wamid.0",
                    "message": {"type": "image", "image": {"id": "77", "caption": "new"}, "context": {"id": "wamid.q"}},
                },
            },
            Edited("wamid.0", Message(text="new", media=(Media("image", "77"),), in_reply_to="wamid.q")),
        ),
        ({"type": "revoke", "revoke": {"original_message_id": "wamid.0"}}, Deleted("wamid.0")),
        ({"type": "request_welcome"}, Followed()),
    ],
)
def test_each_type_has_its_form(message: dict[str, Any], expected: Content) -> None:
    assert content(message) == expected


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ({"type": "unsupported", "errors": [{"code": 131051}]}, "unsupported"),
        ({"type": "unsupported", "unsupported": {"type": "poll"}}, "unsupported.poll"),
        ({"type": "system", "system": {"type": "user_changed_number", "body": "…"}}, "system.user_changed_number"),
        ({"type": "interactive"}, "interactive"),
        (
            {"type": "interactive", "interactive": {"type": "call_permission_reply", "call_permission_reply": {}}},
            "interactive.call_permission_reply",
        ),
        ({"type": "something_new", "something_new": {"a": 1}}, "something_new"),
        ({}, "message"),
        ({"type": ["text"]}, "message"),
        ({"type": "text", "text": "not an object"}, "text"),
        ({"type": "text", "text": {"body": {"a": 1}}}, "text"),
        ({"type": "image", "image": {"caption": "no id"}}, "image"),
        ({"type": "location", "location": {"latitude": "north", "longitude": 1}}, "location"),
        ({"type": "location", "location": {"latitude": True, "longitude": 1}}, "location"),
        ({"type": "contacts", "contacts": "none"}, "contacts"),
        ({"type": "order", "order": {"product_items": 3}}, "order"),
        ({"type": "reaction", "reaction": {"emoji": "👍"}}, "reaction"),
        ({"type": "edit", "edit": {"message": WORDS}}, "edit"),
        ({"type": "edit", "edit": {"original_message_id": "wamid.0", "message": {"type": "poll"}}}, "edit"),
        ({"type": "revoke"}, "revoke"),
        ({"type": "button"}, "button"),
    ],
)
def test_what_has_no_form_is_named_and_kept(message: dict[str, Any], name: str) -> None:
    [event] = of_whatsapp(said(message))
    assert event.content == Unsupported(name)
    assert event.raw["id"] == "wamid.in1"
    assert event.raw.items() >= message.items()
    assert event.sender is not None


def test_errors_beside_an_unreadable_message_are_kept_with_it() -> None:
    errors = [{"code": 131000, "title": "Something went wrong"}]
    [event] = of_whatsapp(change({"messages": [{"from": "1", "id": "w", "type": "interactive"}], "errors": errors}))
    assert event.raw["errors"] == errors


@pytest.mark.parametrize(
    ("status", "expected"),
    [("sent", "sent"), ("delivered", "delivered"), ("read", "read"), ("played", "read"), ("failed", "failed")],
)
def test_a_status_is_a_receipt(status: str, expected: str) -> None:
    told = {"id": "wamid.out", "status": status, "timestamp": "1772998024", "recipient_id": "989121234567"}
    [event] = of_whatsapp(change({"statuses": [told]}))
    assert event.content == Receipt(expected, ("wamid.out",))  # type: ignore[arg-type]
    assert (event.id, event.thread, event.sender) == (f"wamid.out:{status}", "989121234567", None)


def test_a_failed_status_says_why() -> None:
    error = {"code": 131026, "title": "Message undeliverable", "error_data": {"details": "The recipient cannot"}}
    told = {"id": "wamid.out", "status": "failed", "recipient_user_id": "IR.1001", "errors": [error]}
    [event] = of_whatsapp(change({"statuses": [told]}))
    assert isinstance(event.content, Receipt)
    assert event.content.reason == (
        "WhatsApp cannot deliver to this customer: Message undeliverable: The recipient cannot (code 131026)"
    )
    assert event.thread == "IR.1001"


def test_statuses_of_a_group_tell_readers_apart() -> None:
    base = {"id": "wamid.out", "status": "read", "recipient_type": "group", "recipient_id": "group-7"}
    told = [{**base, "recipient_participant_id": one} for one in ("1", "2")]
    events = of_whatsapp(change({"statuses": told}))
    assert [(event.id, event.thread) for event in events] == [
        ("wamid.out:read:1", "group-7"),
        ("wamid.out:read:2", "group-7"),
    ]


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ({"id": "wacid.1", "type": "call", "status": "RINGING"}, "call.RINGING"),
        ({"id": "wamid.1", "status": "deleted"}, "status.deleted"),
        ({"id": "wamid.1"}, "status."),
    ],
)
def test_other_statuses_are_no_receipts(status: dict[str, Any], name: str) -> None:
    [event] = of_whatsapp(change({"statuses": [status]}))
    assert event.content == Unsupported(name)


def test_messages_from_the_business_app_are_echoes() -> None:
    echo = {"from": "15550783881", "to": "989121234567", "id": "wamid.e", "timestamp": "1772998024", **WORDS}
    contacts = [{"wa_id": "989121234567", "user_id": "IR.1001"}]
    [event] = of_whatsapp(change({"contacts": contacts, "message_echoes": [echo]}, "smb_message_echoes"))
    assert event.content == Echo(Message(text="سلام"), "wamid.e")
    assert (event.id, event.thread, event.sender) == ("echo:wamid.e", "IR.1001", None)


def test_what_the_business_takes_back_is_no_message_of_the_customer() -> None:
    echo = {"to": "989121234567", "id": "wamid.e", "type": "revoke", "revoke": {"original_message_id": "wamid.0"}}
    [event] = of_whatsapp(change({"message_echoes": [echo]}, "smb_message_echoes"))
    assert (event.content, event.sender, event.raw) == (Unsupported("echo.revoke"), None, echo)


def test_calls_are_kept() -> None:
    call = {"id": "wacid.1", "from": "989121234567", "to": "1", "event": "connect", "direction": "USER_INITIATED"}
    [event] = of_whatsapp(change({"calls": [call]}, "calls"))
    assert (event.id, event.content) == ("wacid.1:connect", Unsupported("call.connect"))
    assert (event.thread, event.sender) == ("989121234567", Sender("989121234567", "", "989121234567"))
    ours = {**call, "from": "1", "to": "989121234567", "event": "terminate", "direction": "BUSINESS_INITIATED"}
    [event] = of_whatsapp(change({"calls": [ours]}, "calls"))
    assert (event.thread, event.sender) == ("989121234567", None)


def test_preferences_are_kept_with_their_customer() -> None:
    told = {"wa_id": "989121234567", "category": "marketing_messages", "value": "stop", "timestamp": 1731705721}
    [event] = of_whatsapp(change({"user_preferences": [told]}, "user_preferences"))
    assert event.content == Unsupported("user_preferences.stop")
    assert event.sender is not None
    assert event.at == datetime(2024, 11, 15, 21, 22, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("message_template_status_update", {"event": "REJECTED"}, "message_template_status_update.REJECTED"),
        ("message_template_quality_update", {"new_quality_score": "RED"}, "message_template_quality_update"),
        ("account_update", {"event": "ACCOUNT_DELETED"}, "account_update.ACCOUNT_DELETED"),
        ("phone_number_quality_update", {"current_limit": "TIER_1K"}, "phone_number_quality_update"),
        ("history", {"history": [{"threads": []}]}, "history"),
        ("messages", {"errors": [{"code": 130429}]}, "messages"),
    ],
)
def test_notices_of_the_account_are_kept(field: str, value: dict[str, Any], name: str) -> None:
    raw = {"field": field, "value": value}
    payload = {"object": "whatsapp_business_account", "entry": [{"id": "waba-1", "time": 1743451903, "changes": [raw]}]}
    [event] = of_whatsapp(payload)
    assert (event.content, event.thread, event.sender, event.raw) == (Unsupported(name), "waba-1", None, raw)
    assert event.id == of_whatsapp(payload)[0].id
    assert len(event.id) <= 200


def test_the_same_notice_at_another_time_is_another_event() -> None:
    def at(time: int) -> str:
        entry = {"id": "w", "time": time, "changes": [{"field": "account_update", "value": {"event": "X"}}]}
        return of_whatsapp({"object": "whatsapp_business_account", "entry": [entry]})[0].id

    assert at(1) != at(2)


@pytest.mark.parametrize("stamp", ["not a time", "1e999", None, {"a": 1}, 10**30])
def test_an_unreadable_time_costs_nothing(stamp: object) -> None:
    [event] = of_whatsapp(said({"timestamp": stamp, **WORDS}))
    assert (event.at, event.content) == (None, Message(text="سلام"))


def test_a_message_without_any_id_is_the_same_when_it_comes_again() -> None:
    payload = change({"messages": [WORDS]})
    first, second = of_whatsapp(payload)[0], of_whatsapp(payload)[0]
    assert first.id == second.id
    assert (first.sender, first.thread, first.message_id) == (None, "waba-1", None)
