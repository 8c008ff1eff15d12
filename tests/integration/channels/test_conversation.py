"""A conversation through a channel: signed in, answered once, signed out."""

import asyncio
import io
import time
from uuid import UUID

import orjson
import pytest
from prometheus_client import REGISTRY
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from chatbot.channels import turns
from chatbot.channels.contract import Call, Request
from chatbot.channels.events import InboundEvent, Message
from chatbot.channels.inbox.refusals import LINES_EACH
from chatbot.channels.outbox import repository as deliveries
from chatbot.channels.signing import standard_webhook_headers, verify_standard_webhook
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from tests.conftest import bearer
from tests.integration.channels.conftest import Receiver, Whole, signed


def said(session: str, number: int, text: str) -> dict[str, str]:
    return {"session_id": session, "message_id": f"m{number}", "text": text}


async def test_a_question_is_answered_with_its_source_and_a_signature(whole: Whole, receiver: Receiver) -> None:
    channel = await whole.channel("webhook", {"webhook_url": receiver.url})
    answer = await whole.tell(channel, said("s1", 1, "How do I get a refund?"))
    assert answer.status == 200
    posted = (await receiver.wait_for(1))[0]
    assert posted["session_id"] == "s1"
    assert "14 days" in posted["message"]["text"]
    assert posted["message"]["sources"][0]["title"] == "Refunds"
    headers = {name.lower(): value for name, value in receiver.headers[0].items()}
    raw = orjson.dumps(posted)
    verify_standard_webhook(channel["secret"], Request("POST", receiver.url, headers, raw), time.time())


async def test_how_long_a_reply_took_is_told_by_the_channels_type(whole: Whole, receiver: Receiver) -> None:
    labels = {"channel_type": "webhook", "outcome": "answered"}
    before = REGISTRY.get_sample_value("chat_turn_duration_seconds_count", labels) or 0
    channel = await whole.channel("webhook", {"webhook_url": receiver.url})
    await whole.tell(channel, said("s1", 1, "How do I get a refund?"))
    await receiver.wait_for(1)
    assert REGISTRY.get_sample_value("chat_turn_duration_seconds_count", labels) == before + 1


async def test_persian_is_answered_in_persian(whole: Whole, receiver: Receiver) -> None:
    channel = await whole.channel("webhook", {"webhook_url": receiver.url})
    await whole.tell(channel, said("s1", 1, "سفارش من چند روزه به تهران می‌رسد؟"))
    assert "دو روز کاری" in (await receiver.wait_for(1))[0]["message"]["text"]


async def test_a_repeat_has_one_effect(whole: Whole, receiver: Receiver) -> None:
    channel = await whole.channel("webhook", {"webhook_url": receiver.url})
    body = said("s1", 1, "How do I get a refund?")
    answers = await asyncio.gather(*(whole.tell(channel, body) for _ in range(5)))
    assert {answer.status for answer in answers} == {200}
    await receiver.wait_for(1)
    await whole.tell(channel, body)
    await whole.tell(channel, said("s2", 1, "How do I get a refund?"))
    await receiver.wait_for(2)
    assert sorted(one["session_id"] for one in receiver.got) == ["s1", "s2"]


async def test_a_burst_is_answered_once(whole: Whole, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "QUIET_SECONDS", 3.0)  # a busy machine takes the next in time
    monkeypatch.setattr(turns, "MAX_QUIET_SECONDS", 60.0)
    channel = await whole.channel("webhook", {"webhook_url": receiver.url})
    for number, text in enumerate(("Hello", "I have a question", "How do I get a refund?")):
        await whole.tell(channel, said("s1", number, text))
    await receiver.wait_for(1)
    await whole.tell(channel, said("s1", 9, "thanks"))
    await receiver.wait_for(2)
    assert "14 days" in receiver.got[0]["message"]["text"]
    assert len(receiver.got) == 2


async def test_what_piled_up_is_answered_to_its_end(whole: Whole, receiver: Receiver) -> None:
    """More than one reply is made from, all told at once: the last question is not left to wait."""
    channel = await whole.channel("webhook", {"webhook_url": receiver.url})
    connected = await whole.state.accounts.get(UUID(channel["id"]))
    words = ["Hello"] * 30 + ["How do I get a refund?"]
    events = [InboundEvent(str(number), "s1", Message(text)) for number, text in enumerate(words)]
    await whole.state.inbox.take(connected, events)
    assert "14 days" in (await receiver.wait_for(1))[0]["message"]["text"]
    await whole.tell(channel, said("s1", 99, "thanks"))
    await receiver.wait_for(2)
    assert len(receiver.got) == 2


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"X-Signature": ""}, 401),
        ({"X-Signature": "sha256=" + "0" * 64}, 401),
        ({"X-Timestamp": "1"}, 401),
    ],
)
async def test_what_is_not_proven_is_refused(
    whole: Whole, receiver: Receiver, changed: dict[str, str], status: int
) -> None:
    channel = await whole.channel("webhook", {"webhook_url": receiver.url})
    answer = await whole.tell(channel, said("s1", 1, "How do I get a refund?"), **changed)
    assert answer.status == status
    assert channel["secret"] not in await answer.text()


async def test_a_stale_signature_and_a_siblings_are_refused(whole: Whole, receiver: Receiver) -> None:
    one = await whole.channel("webhook", {"webhook_url": receiver.url})
    other = await whole.channel("webhook", {"webhook_url": receiver.url})
    raw = orjson.dumps(said("s1", 1, "hi"))
    path = f"/webhooks/webhook/{one['id']}"
    stale = await whole.gateway.post(path, data=raw, headers=signed(one["secret"], raw, time.time() - 400))
    sibling = await whole.gateway.post(path, data=raw, headers=signed(other["secret"], raw))
    unknown = await whole.gateway.post(f"/webhooks/webhook/{one['tenant_id']}", data=raw)
    wrong_type = await whole.gateway.post(f"/webhooks/viber/{one['id']}", data=raw)
    assert [stale.status, sibling.status, unknown.status, wrong_type.status] == [401, 401, 404, 404]
    metrics = await (await whole.gateway.get("/metrics")).text()
    assert 'channel_requests_total{channel_type="webhook",outcome="refused_stale"}' in metrics
    assert 'channel_requests_total{channel_type="webhook",outcome="refused_wrong"}' in metrics
    assert one["secret"] not in metrics


async def test_what_is_refused_is_told_with_its_channel_and_reason(whole: Whole, receiver: Receiver) -> None:
    """A provider whose secret was changed, or who calls a channel that is gone, is found by the log alone."""
    channel, nobodys = await whole.channel("webhook", {"webhook_url": receiver.url}), str(new_id())
    path, broken = f"/webhooks/webhook/{channel['id']}", b'{"session_id": "a visitor\'s words'
    with capture_logs(processors=[merge_contextvars]) as logs:
        await whole.tell(channel, said("s1", 1, "a visitor's words"), **{"X-Signature": "sha256=" + "0" * 64})
        await whole.gateway.post(path, data=broken, headers=signed(channel["secret"], broken))
        await whole.gateway.post(f"/webhooks/webhook/{nobodys}", data=b"a visitor's words")
        await whole.gateway.post(f"/webhooks/{'x' * 90}/{channel['id']}", data=b"a visitor's words")
        for _ in range(30):
            await whole.gateway.post(f"/webhooks/webhook/{new_id()}", data=b"a visitor's words")
    told = [line for line in logs if line["event"] == "webhook refused"]
    assert [(line["reason"], line["channel_type"], line["channel_id"], line.get("tenant_id")) for line in told[:4]] == [
        ("refused_wrong", "webhook", channel["id"], channel["tenant_id"]),
        ("malformed", "webhook", channel["id"], channel["tenant_id"]),
        ("unknown", "webhook", nobodys, None),
        ("unknown", "unknown", channel["id"], channel["tenant_id"]),
    ]
    assert len(told) <= 2 + LINES_EACH, "a flood is no flood of lines"
    assert "a visitor's words" not in str(logs)
    assert channel["secret"] not in str(logs)


async def test_bodies_that_cannot_be_taken(whole: Whole, receiver: Receiver) -> None:
    channel = await whole.channel("webhook", {"webhook_url": receiver.url})
    path = f"/webhooks/webhook/{channel['id']}"
    broken = b'{"session_id": '
    malformed = await whole.gateway.post(path, data=broken, headers=signed(channel["secret"], broken))
    large = await whole.gateway.post(path, data=io.BytesIO(b"x" * 10_000_000), headers=signed(channel["secret"], b"x"))
    assert [malformed.status, large.status] == [400, 413]
    assert (await malformed.json())["detail"].startswith("body:")


async def test_the_rotated_secret_works_beside_the_new_one(whole: Whole, receiver: Receiver) -> None:
    channel = await whole.channel("webhook", {"webhook_url": receiver.url})
    async with whole.api.post(f"/admin/channels/{channel['id']}/rotate_secret", headers=bearer()) as rotated:
        new = await rotated.json()
    whole.state.accounts.forget(UUID(channel["id"]))
    assert new["secret"] != channel["secret"]
    before = await whole.tell(channel, said("s1", 1, "How do I get a refund?"))
    after = await whole.tell({**channel, "secret": new["secret"]}, said("s2", 1, "How do I get a refund?"))
    assert [before.status, after.status] == [200, 200]
    told = await receiver.wait_for(2)
    for body, headers in zip(told, receiver.headers, strict=True):
        secrets, at = [new["secret"], channel["secret"]], int(headers["webhook-timestamp"])
        expected = standard_webhook_headers(secrets, headers["webhook-id"], at, orjson.dumps(body))
        assert headers["webhook-signature"] == expected["webhook-signature"], "the receiver may hold either"


async def test_what_answers_in_our_name_is_not_shown(whole: Whole) -> None:
    channel = await whole.channel("discord", {"application_id": "1", "public_key": "", "bot_token": "t"})
    call = Call("interaction", {"token": "canary", "channel": "C1", "message": {"content": "Hello"}})
    async with whole.runtime.database.tenant(whole.tenant.id) as session:
        await deliveries.add(
            session, [call], channel_id=UUID(channel["id"]), lane="1", conversation_id=None, message_id=None,
            due_at=utcnow(),
        )  # fmt: skip
    (row,) = await whole.deliveries(channel)
    shown = await whole.ask("GET", f"/admin/deliveries/{row['id']}")
    assert shown["body"] == {"channel": "C1", "message": {"content": "Hello"}}


async def test_of_two_rotations_at_once_one_secret_stays(whole: Whole) -> None:
    channel = await whole.channel("webhook", {"webhook_url": "https://shop.example.com/"})
    path = f"/admin/channels/{channel['id']}/rotate_secret"
    await asyncio.gather(*(whole.ask("POST", path) for _ in range(4)))
    async with whole.runtime.database.tenant_reader(whole.tenant.id) as session:
        rows = (await session.connection()).exec_driver_sql
        counted = await rows(
            "SELECT expires_at IS NULL, count(*) FROM channel_secrets WHERE purpose = 'secret' GROUP BY 1"
        )
        assert dict(map(tuple, counted)) == {True: 1, False: 4}


async def test_a_closed_conversation_begins_anew_and_a_persons_is_left_alone(whole: Whole, receiver: Receiver) -> None:
    channel = await whole.channel("webhook", {"webhook_url": receiver.url})
    await whole.tell(channel, said("s1", 1, "Hello"))
    await receiver.wait_for(1)
    for state, number in (("human", 2), ("closed", 3)):
        async with whole.runtime.database.tenant(whole.tenant.id) as session:
            await (await session.connection()).exec_driver_sql(f"UPDATE conversations SET state = '{state}'")
        await whole.tell(channel, said("s1", number, "How do I get a refund?"))
    await receiver.wait_for(2)
    assert "14 days" in receiver.got[1]["message"]["text"]
    async with whole.runtime.database.tenant_reader(whole.tenant.id) as session:
        rows = (await session.connection()).exec_driver_sql
        names = [row[0] for row in await rows("SELECT name FROM events ORDER BY id")]
    assert names.count("message.for_person") == 1
    assert names.count("conversation.reopened") == 1


async def test_edits_deletions_and_what_has_no_form_are_kept(whole: Whole, receiver: Receiver) -> None:
    channel = await whole.channel("webhook", {"webhook_url": receiver.url})
    await whole.tell(channel, said("s1", 1, "How do I get a refund?"))
    await receiver.wait_for(1)
    edited = {"type": "edited", "session_id": "s1", "message_id": "m1", "text": "How do I get my money back?"}
    assert (await whole.tell(channel, edited)).status == 200
    poll = {"type": "poll", "session_id": "s1", "event_id": "e1", "question": "?"}
    assert (await whole.tell(channel, poll)).status == 200
    async with whole.runtime.database.tenant_reader(whole.tenant.id) as session:
        rows = (await session.connection()).exec_driver_sql
        texts = [row[0] for row in await rows("SELECT text FROM messages WHERE role = 'visitor'")]
        kinds = [row[0] for row in await rows("SELECT kind FROM inbound_events ORDER BY id")]
    assert texts == ["How do I get my money back?"]
    assert kinds == ["message", "edited", "unsupported"]
