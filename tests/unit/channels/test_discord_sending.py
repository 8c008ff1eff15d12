"""What is sent to Discord, and what its answers mean."""

from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import ANY

import pytest

from chatbot.channels.contract import Account, Call, Permanent, RetryAfter, Sent
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.outgoing import Button, Draft, Outgoing
from chatbot.channels.pieces import length
from chatbot.channels.providers.discord import DISCORD
from chatbot.channels.providers.discord.credentials import DiscordCredentials
from chatbot.core.safe_http import OutgoingFailed, SafeHttp
from tests.unit.channels.peer import DELIVERY, Peer, account, serving

TOKEN = "not.a.real-token"
KEY = "ab" * 32
UNSEEN = "Discord: Missing Access (code 50001); the bot may not see the channel"
WEBHOOK = "/v10/webhooks/900/tok"
COMMAND = {"channel": "5", "token": "tok", "answer": 5}
Discord = tuple[Peer, SafeHttp, Account[Any]]


def to(url: str) -> Account[Any]:
    return account(DiscordCredentials(application_id="900", public_key=KEY, bot_token=TOKEN, api_url=url))


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with serving() as (peer, http):
        yield peer, http, to(f"{peer.url}/v10")


def rendered(**fields: Any) -> list[Call]:
    return DISCORD.render(to("http://x"), Outgoing(**{"thread": "5", "context": {"channel": "5"}, **fields}))


async def sent(discord: Discord, call: Call) -> Any:
    _, http, to_peer = discord
    return await DISCORD.send(to_peer, call, http, delivery_id=DELIVERY)


def test_nobody_is_called_by_an_answer() -> None:
    (call,) = rendered(text="hi @everyone <@7>")
    assert call == Call(
        "message", {"channel": "5", "message": {"content": "hi @everyone <@7>", "allowed_mentions": {"parse": []}}}
    )


def test_in_a_room_the_first_piece_answers_its_message() -> None:
    calls = rendered(thread="5:7", text="A sentence. " * 400, context={"channel": "5", "message": "3"})
    assert len(calls) == 3
    assert calls[0].body["message"]["message_reference"] == {"message_id": "3", "fail_if_not_exists": False}
    assert all("message_reference" not in call.body["message"] for call in calls[1:])
    assert all(length(call.body["message"]["content"], "utf16") <= 2_000 for call in calls)
    assert all(call.body["message"]["content"].endswith(".") for call in calls)


def test_what_takes_two_units_counts_twice() -> None:
    calls = rendered(text="😀" * 1_500)
    assert [length(call.body["message"]["content"], "utf16") for call in calls] == [2_000, 1_000]


def test_buttons_are_rows_of_five() -> None:
    buttons = (*(Button(f"B{n}", f"id{n}") for n in range(6)), Button("L" * 90, url="https://a.example"))
    (call,) = rendered(text="Choose", buttons=buttons)
    rows = call.body["message"]["components"]
    assert [len(row["components"]) for row in rows] == [5, 2]
    assert rows[0]["components"][0] == {"type": 2, "style": 2, "label": "B0", "custom_id": "id0"}
    assert rows[1]["components"][1] == {"type": 2, "style": 5, "label": "L" * 79 + "…", "url": "https://a.example"}


@pytest.mark.parametrize(
    "buttons",
    [
        tuple(Button(f"B{n}", str(n)) for n in range(26)),
        (Button("B0", "x" * 101),),
        (Button("B0", "same"), Button("B1", "same")),
    ],
)
def test_buttons_that_discord_does_not_take_are_a_list(buttons: tuple[Button, ...]) -> None:
    (call,) = rendered(text="Choose", buttons=buttons)
    assert "1. B0" in call.body["message"]["content"]
    assert "components" not in call.body["message"]


def test_a_draft_is_replaced_and_nothing_is_no_call() -> None:
    first, second = rendered(text="A sentence. " * 250, replaces="message:8")
    assert (first.action, first.body["handle"], second.action) == ("edit", "message:8", "message")
    assert rendered(text="") == []


async def test_a_message_is_posted_with_a_nonce(discord: Discord) -> None:
    peer, _, _ = discord
    peer.answer("POST /v10/channels/5/messages", {"id": "8"})
    assert await sent(discord, rendered(text="hi")[0]) == Sent("8")
    (reached,) = peer.reached
    assert reached.headers["authorization"] == f"Bot {TOKEN}"
    assert reached.json["enforce_nonce"] is True
    assert 0 < len(reached.json["nonce"]) <= 25
    await sent(discord, rendered(text="hi")[0])
    assert peer.reached[1].json["nonce"] == reached.json["nonce"]


@pytest.mark.parametrize(
    ("status", "answer", "headers", "outcome"),
    [
        (429, {"message": "Limited", "retry_after": 0.75, "global": False}, {}, RetryAfter(ANY, 0.75)),
        (429, {"message": "Limited", "retry_after": 2.5, "global": True}, {}, RetryAfter(ANY, 2.5, rate_limited=True)),
        (429, b"error code: 1015", {"Retry_After": "9"}, RetryAfter(ANY, 9.0, rate_limited=True)),
        (502, b"bad gateway", {}, RetryAfter("Discord: HTTP 502")),
        (401, {"message": "401: Unauthorized", "code": 0}, {}, Permanent(ANY)),
        (403, {"message": "Missing Access", "code": 50001}, {}, Permanent(UNSEEN)),
        (403, {"message": "Cannot send messages to this user", "code": 50007}, {}, Permanent(ANY)),
        (404, {"message": "Unknown Channel", "code": 10003}, {}, Permanent(ANY)),
        (400, {"message": "Invalid Form Body", "code": 50035, "errors": {"content": "too long"}}, {}, Permanent(ANY)),
    ],
)  # fmt: skip
async def test_answers_that_are_no_success(
    discord: Discord, status: int, answer: Any, headers: dict[str, str], outcome: Any
) -> None:
    discord[0].answer("POST /v10/channels/5/messages", answer, status, **headers)
    found = await sent(discord, rendered(text="hi")[0])
    assert found == outcome
    assert TOKEN not in found.words


async def test_a_command_is_answered_in_place_of_is_thinking_and_then_below(discord: Discord) -> None:
    peer, _, _ = discord
    (call,) = rendered(text="hi", context=COMMAND)
    peer.answer(f"GET {WEBHOOK}/messages/@original", {"id": "8", "flags": 128, "content": ""})
    peer.answer(f"PATCH {WEBHOOK}/messages/@original", {"id": "8"})
    assert await sent(discord, call) == Sent("8")
    peer.answer(f"GET {WEBHOOK}/messages/@original", {"id": "8", "flags": 0, "content": "an answer"})
    peer.answer(f"POST {WEBHOOK}", {"id": "9"})
    assert await sent(discord, call) == Sent("9")
    assert all("authorization" not in reached.headers for reached in peer.reached)
    peer.answer(f"GET {WEBHOOK}/messages/@original", {"id": "8", "flags": 0, "content": "hi"})
    assert await sent(discord, call) == Sent("8")


async def test_a_pressed_button_is_answered_by_a_message_of_its_own(discord: Discord) -> None:
    peer, _, _ = discord
    (call,) = rendered(text="hi", context={**COMMAND, "answer": 6})
    peer.answer(f"POST {WEBHOOK}", {"id": "9"})
    assert await sent(discord, call) == Sent("9")
    assert [reached.method for reached in peer.reached] == ["POST"]


@pytest.mark.parametrize(("status", "code"), [(404, 10015), (401, 50027), (404, 0)])
async def test_after_fifteen_minutes_the_answer_goes_into_the_channel(discord: Discord, status: int, code: int) -> None:
    peer, _, _ = discord
    (call,) = rendered(text="hi", context=COMMAND)
    peer.answer(f"GET {WEBHOOK}/messages/@original", {"message": "Unknown", "code": code}, status)
    peer.answer("POST /v10/channels/5/messages", {"id": "8"})
    assert await sent(discord, call) == Sent("8")


async def test_a_draft_is_edited_or_sent_anew_when_it_is_gone(discord: Discord) -> None:
    peer, _, _ = discord
    (call,) = rendered(text="whole", replaces="message:8")
    peer.answer("PATCH /v10/channels/5/messages/8", {"id": "8"})
    assert await sent(discord, call) == Sent("8")
    peer.answer("PATCH /v10/channels/5/messages/8", {"message": "Unknown Message", "code": 10008}, 404)
    peer.answer("POST /v10/channels/5/messages", {"id": "9"})
    assert await sent(discord, call) == Sent("9")
    peer.answer("PATCH /v10/channels/5/messages/8", {"message": "Limited", "retry_after": 1.0}, 429)
    assert isinstance(await sent(discord, call), RetryAfter)


async def test_who_added_the_app_is_written_to_directly(discord: Discord) -> None:
    peer, _, _ = discord
    (call,) = rendered(thread="user:7", context={}, text="welcome")
    peer.answer("POST /v10/users/@me/channels", {"id": "55"})
    peer.answer("POST /v10/channels/55/messages", {"id": "8"})
    assert await sent(discord, call) == Sent("8")
    assert peer.reached[0].json == {"recipient_id": "7"}
    peer.answer("POST /v10/users/@me/channels", {"message": "Cannot send", "code": 50007}, 403)
    assert isinstance(await sent(discord, call), Permanent)


async def test_a_reply_is_shown_while_it_is_made(discord: Discord) -> None:
    peer, http, to_peer = discord
    context = {"channel": "5", "message": "3"}
    peer.answer("POST /v10/channels/5/messages", {"id": "8"})
    peer.answer("PATCH /v10/channels/5/messages/8", {"id": "8"})
    handle = await DISCORD.show(to_peer, Draft("5:7", "Your", context=context), http)
    assert handle == "message:8"
    assert await DISCORD.show(to_peer, Draft("5:7", "Your order", "Your", handle, context), http) == handle
    assert [reached.json["content"] for reached in peer.reached] == ["Your", "Your order"]
    assert peer.reached[0].json["message_reference"]["message_id"] == "3"
    assert "nonce" not in peer.reached[0].json


async def test_an_interactions_reply_is_shown_in_its_place(discord: Discord) -> None:
    peer, http, to_peer = discord
    peer.answer(f"GET {WEBHOOK}/messages/@original", {"id": "8", "flags": 128})
    peer.answer(f"PATCH {WEBHOOK}/messages/@original", {"id": "8"})
    peer.answer(f"PATCH {WEBHOOK}/messages/8", {"id": "8"})
    handle = await DISCORD.show(to_peer, Draft("5", "Your", context=COMMAND), http)
    assert handle == "interaction:8"
    assert await DISCORD.show(to_peer, Draft("5", "Your order", "Your", handle, COMMAND), http) == handle
    (call,) = rendered(text="Your order.", context=COMMAND, replaces=handle)
    assert await sent(discord, call) == Sent("8")
    peer.answer(f"PATCH {WEBHOOK}/messages/8", {"message": "Limited"}, 429)
    with pytest.raises(OutgoingFailed, match="Limited"):
        await DISCORD.show(to_peer, Draft("5", "Your order is", "Your order", handle, COMMAND), http)


async def test_typing(discord: Discord) -> None:
    peer, http, to_peer = discord
    peer.answer("POST /v10/channels/5/typing", b"", 204)
    await DISCORD.typing(to_peer, "5:7", {"channel": "5"}, http)
    assert len(peer.reached) == 1


async def test_the_address_of_interactions_is_set_and_taken_away(discord: Discord) -> None:
    peer, http, to_peer = discord
    peer.answer("PATCH /v10/applications/@me", {"id": "900"})
    await DISCORD.register(to_peer, http)
    await DISCORD.unregister(to_peer, http)
    assert [reached.json["interactions_endpoint_url"] for reached in peer.reached] == [
        "https://gw.example.com/hook", None,
    ]  # fmt: skip
    peer.answer("PATCH /v10/applications/@me", {"message": "Invalid Form Body", "code": 50035}, 400)
    with pytest.raises(ProviderRefused, match="50035"):
        await DISCORD.register(to_peer, http)


async def test_the_check_compares_everything(discord: Discord) -> None:
    peer, http, to_peer = discord
    peer.answer("/v10/users/@me", {"id": "900", "username": "xin"})
    about = {
        "id": "900",
        "verify_key": KEY,
        "flags": 1 << 19,
        "interactions_endpoint_url": "https://gw.example.com/hook",
    }
    peer.answer("/v10/applications/@me", about)
    assert all(finding.ok for finding in await DISCORD.check(to_peer, http))
    wrong = {"id": "901", "verify_key": "cd" * 32, "flags": 0, "interactions_endpoint_url": "https://other.example"}
    peer.answer("/v10/applications/@me", wrong)
    found = {finding.name: finding for finding in await DISCORD.check(to_peer, http)}
    assert [name for name, finding in found.items() if not finding.ok] == [
        "application", "public key", "message content", "webhook",
    ]  # fmt: skip
    assert "https://other.example" in found["webhook"].words
    peer.answer("/v10/users/@me", {"message": "401: Unauthorized", "code": 0}, 401)
    (refused,) = await DISCORD.check(to_peer, http)
    assert not refused.ok
    (away,) = await DISCORD.check(to("http://127.0.0.1:9"), http)
    assert not away.ok
