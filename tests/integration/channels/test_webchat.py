"""The signed web chat webhook: the reply with the request, or later by a signed POST; customers' files."""

import asyncio
import base64
import time
from typing import Any

import aiohttp
import orjson
import pytest

from tests.conftest import bearer
from tests.integration.channels.conftest import Receiver, Whole, signed

REFUND = "How do I get a refund?"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def chat(whole: Whole, channel: dict[str, Any], **body: Any) -> aiohttp.ClientResponse:
    raw = orjson.dumps({"channel_id": channel["id"], "session_id": "s1", "message_id": "m1", **body})
    return await whole.gateway.post("/webchat/webhook", data=raw, headers=signed(channel["secret"], raw))


async def test_the_reply_comes_with_the_request_and_again_with_its_repeat(whole: Whole) -> None:
    channel = await whole.channel("web", {})
    first = await chat(whole, channel, text=REFUND, user={"name": "Ada", "email": "ada@example.com"})
    assert first.status == 200
    said = await first.json()
    assert "14 days" in said["reply"]
    assert said["mode"] == "extractive"
    assert said["citations"][0]["title"] == "Refunds"
    again = await (await chat(whole, channel, text=REFUND)).json()
    assert again["message_id"] == said["message_id"]
    persian = await (await chat(whole, channel, message_id="m2", text="ارسال به تهران چند روز طول می‌کشد؟")).json()
    assert "دو روز کاری" in persian["reply"]
    assert persian["conversation_id"] == said["conversation_id"]


async def test_what_is_not_words_is_kept_with_a_message_that_is_answered_at_once(whole: Whole) -> None:
    channel = await whole.channel("web", {})
    place = {"latitude": 52.5, "longitude": 13.4, "name": "The shop"}
    assert (await chat(whole, channel, text=REFUND, location=place, user={"id": "a\x00b"})).status == 200
    async with whole.runtime.database.tenant_reader(whole.tenant.id) as session:
        rows = (await session.connection()).exec_driver_sql
        content = (await rows("SELECT content FROM messages WHERE role = 'visitor'")).scalar_one()
        visitor = (await rows("SELECT visitor FROM conversations")).scalar_one()
    assert content["location"] == {**place, "address": ""}
    assert visitor["id"] == "ab"


async def test_later_means_a_signed_post(whole: Whole, receiver: Receiver) -> None:
    channel = await whole.channel("web", {"webhook_url": receiver.url})
    asked = {"text": REFUND, "async": True, "metadata": {"order": 7}}
    answer = await chat(whole, channel, **asked)
    assert answer.status == 202
    accepted = await answer.json()
    assert accepted | {"conversation_id": ""} == {"status": "accepted", "repeated": False, "conversation_id": ""}
    posted = (await receiver.wait_for(1))[0]
    assert "14 days" in posted["message"]["text"]
    assert posted["metadata"] == {"order": 7}
    assert await (await chat(whole, channel, **asked)).json() == accepted | {"repeated": True}
    sync = await chat(whole, channel, message_id="m2", text=REFUND)
    assert sync.status == 200
    await asyncio.sleep(0.3)
    assert len(receiver.got) == 1, "an answer that came with its request is not posted as well"


async def test_later_without_an_address_is_read_in_the_conversation(whole: Whole) -> None:
    channel = await whole.channel("web", {})
    accepted = await (await chat(whole, channel, text=REFUND, **{"async": True})).json()
    program = {"tenant_id": str(whole.tenant.id), "name": "Asks later", "role": "agent"}
    key = (await whole.ask("POST", "/admin/api_keys", program, status=201))["key"]
    path = f"/v1/conversations/{accepted['conversation_id']}/messages"
    until = time.monotonic() + 60
    while True:
        async with whole.api.get(path, headers={"Authorization": f"Bearer {key}"}) as answer:
            said = [
                one for one in (await answer.json())["items"] if one["role"] == "bot" and one["status"] == "complete"
            ]
        if said:
            break
        assert time.monotonic() < until
        await asyncio.sleep(0.05)
    assert "14 days" in said[0]["text"]
    unknown = {"type": "receipt", "session_id": "s9", "status": "read", "message_ids": ["m"], "event_id": "e"}
    assert (await (await chat(whole, channel, **unknown)).json())["conversation_id"] is None


async def test_a_message_after_the_end_is_answered(whole: Whole) -> None:
    channel = await whole.channel("web", {})
    first = await (await chat(whole, channel, text=REFUND)).json()
    async with whole.runtime.database.tenant(whole.tenant.id) as session:
        await (await session.connection()).exec_driver_sql(
            "UPDATE conversations SET state = 'closed', closed_at = now()"
        )
    again = await (await chat(whole, channel, text=REFUND)).json()
    assert (again["message_id"], again["mode"]) == (first["message_id"], "extractive")
    later = await (await chat(whole, channel, text=REFUND, message_id="m2")).json()
    assert (later["conversation_id"], later["mode"]) == (first["conversation_id"], "extractive")
    assert "14 days" in later["reply"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"text": ""}, 422, "text"),
        ({"text": REFUND, "message_id": ""}, 400, "message_id"),
        ({"text": REFUND, "session_id": "x" * 200}, 400, "session_id"),
        ({"text": "x" * 20_000}, 422, "text"),
        ({"text": REFUND, "user": {"name": "x" * 201}}, 400, "user.name"),
        ({"text": REFUND, "metadata": []}, 400, "metadata"),
    ],
)
async def test_bad_bodies_are_told_by_field(whole: Whole, body: dict[str, Any], status: int, words: str) -> None:
    channel = await whole.channel("web", {})
    answer = await chat(whole, channel, **body)
    assert answer.status == status
    problem = await answer.json()
    assert problem["errors"][0]["field"] == words
    assert problem["detail"] == f"{words}: {problem['errors'][0]['message']}"


async def test_only_the_channels_own_secret_proves_a_message(whole: Whole) -> None:
    channel = await whole.channel("web", {})
    other = await whole.channel("web", {})
    forged = await chat(whole, {**channel, "secret": other["secret"]}, text=REFUND)
    demo = await chat(whole, {**channel, "secret": "dev-web"}, text=REFUND)
    garbage = await whole.gateway.post("/webchat/webhook", data=b"{", headers=signed(channel["secret"], b"{"))
    raw = orjson.dumps({"channel_id": channel["id"], "session_id": "s", "message_id": "m", "text": REFUND})
    old = await whole.gateway.post(
        "/webchat/webhook", data=raw, headers=signed(channel["secret"], raw, time.time() - 900)
    )
    assert [forged.status, demo.status, garbage.status, old.status] == [401, 401, 404, 401]


async def test_a_customers_file_is_stored_under_its_true_type(whole: Whole, receiver: Receiver) -> None:
    channel = await whole.channel("webhook", {"webhook_url": receiver.url})
    files = [
        {"content": base64.b64encode(PNG).decode(), "name": "../../etc/passwd", "mime": "text/html"},
        {"url": receiver.url.replace("127.0.0.1", "169.254.169.254"), "name": "keys.txt"},
    ]
    body = {"session_id": "s1", "message_id": "m1", "text": "", "attachments": files}
    assert (await whole.tell(channel, body)).status == 200
    assert "words" in (await receiver.wait_for(1))[0]["message"]["text"]
    stored, refused = await _settled(whole, 2)
    assert (stored["status"], stored["mime"], stored["size"]) == ("stored", "image/png", len(PNG))
    assert await whole.runtime.blobs.get(stored["blob_key"]) == PNG
    assert "passwd" not in stored["blob_key"]
    assert (refused["status"], refused["blob_key"]) == ("refused", None)
    assert "private" in refused["reason"]


async def _settled(whole: Whole, count: int) -> list[dict[str, Any]]:
    for _ in range(1200):
        async with whole.runtime.database.tenant_reader(whole.tenant.id) as session:
            connection = await session.connection()
            found = await connection.exec_driver_sql("SELECT * FROM attachments ORDER BY id")
            rows = [dict(row._mapping) for row in found]
        if len(rows) == count and all(row["status"] != "pending" for row in rows):
            return rows
        await asyncio.sleep(0.05)
    raise AssertionError(rows)


async def test_secrets_are_sealed_masked_and_shown_once(whole: Whole) -> None:
    made = await whole.channel("telegram", {"bot_token": "123456:canary-token-of-the-test-0123456789"})
    async with whole.api.get(f"/admin/channels/{made['id']}", headers=bearer()) as answer:
        shown = await answer.json()
    assert "secret" not in shown
    assert shown["credentials"]["bot_token"] == "••••6789"
    async with whole.runtime.database.tenant_reader(whole.tenant.id) as session:
        connection = await session.connection()
        sealed = [bytes(row[0]) for row in await connection.exec_driver_sql("SELECT sealed FROM channel_secrets")]
    assert not any(b"canary" in one or made["secret"].encode() in one for one in sealed)


async def test_a_reply_of_a_request_is_not_cut_by_what_is_answered_later(whole: Whole, receiver: Receiver) -> None:
    channel = await whole.channel("web", {"webhook_url": receiver.url})
    now, later = await asyncio.gather(
        chat(whole, channel, text=REFUND),
        chat(whole, channel, message_id="m2", text="And gift cards?", **{"async": True}),
    )
    assert (now.status, later.status) == (200, 202)
    assert "14 days" in (await now.json())["reply"]
    assert (await receiver.wait_for(1))[0]["message"]["text"]


async def test_a_secret_given_back_as_it_is_shown_stays_as_it_was(whole: Whole) -> None:
    made = await whole.channel("line", {"channel_secret": "s" * 30, "channel_access_token": "t" * 30})
    path, shown = f"/admin/channels/{made['id']}", made["credentials"]
    await whole.ask("PATCH", path, {"credentials": {**shown, "channel_access_token": "n" * 26 + "abcd"}})
    again = await whole.ask("PATCH", path, {"credentials": {**shown, "channel_access_token": "••••abcd"}})
    # A stored mask would be too short for its last characters to be shown.
    assert again["credentials"] == {**shown, "channel_access_token": "••••abcd"}
    for foreign in ("••••zzzz", "••••"):
        refused = await whole.ask("PATCH", path, {"credentials": {**shown, "channel_secret": foreign}}, status=422)
        assert refused["errors"] == [
            {"field": "credentials.channel_secret", "message": "is masked; give the secret itself"}
        ]


async def test_wrong_bodies_and_empty_secrets_are_told_in_words(whole: Whole) -> None:
    wanted = {"tenant_id": str(whole.tenant.id), "channel_type": "viber", "display_name": "x"}
    empty = await whole.ask("POST", "/admin/channels", {**wanted, "credentials": {"auth_token": ""}}, status=422)
    assert empty["detail"] == "credentials.auth_token: must hold at least 1 character"
    long = await whole.ask("POST", "/admin/channels", {**wanted, "credentials": {"auth_token": "x" * 999}}, status=422)
    assert "credentials.auth_token: must hold at most " in long["detail"]
    headers = {**bearer(), "Content-Type": "application/json"}
    async with whole.api.post("/admin/channels", data=b'{"a": ', headers=headers) as answer:
        told = await answer.json()
    assert (answer.status, told["errors"][0]["field"]) == (422, "body")
    assert told["errors"][0]["message"].startswith("is not JSON (")


async def test_a_channel_of_a_brand_that_is_new_makes_it(whole: Whole) -> None:
    """As runbook 1 connects one: the brand's name is not the tenant's, and nobody made that brand before."""
    body = {
        "tenant_id": str(whole.tenant.id), "brand_name": "نام تازه", "channel_type": "web",
        "display_name": "Web Widget", "credentials": {"webhook_url": "https://hooks.example.com/xin"},
    }  # fmt: skip
    made = await whole.ask("POST", "/admin/channels", body, status=201)
    again = await whole.ask("POST", "/admin/channels", {**body, "brand_name": " نام تازه "}, status=201)
    brands = (await whole.ask("GET", f"/admin/brands?tenant_id={whole.tenant.id}"))["items"]
    assert [brand["id"] for brand in brands if brand["name"] == "نام تازه"] == [made["brand_id"]] == [again["brand_id"]]
    refused = await whole.ask("POST", "/admin/channels", {**body, "brand_name": " "}, status=422)
    assert refused["errors"][0]["field"] == "brand_name"
