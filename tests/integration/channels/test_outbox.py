"""The outbox: in order, by the schedule, on a clock of the test's own; dead letters and their replay; receipts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from sqlalchemy import text

from chatbot.apps.channel_parts import ChannelParts, make_channel_parts
from chatbot.apps.runtime import Runtime
from chatbot.channels.accounts import ConnectedChannel
from chatbot.channels.contract import RetryAfter
from chatbot.channels.events import InboundEvent, Receipt
from chatbot.channels.outbox import repository
from chatbot.channels.outbox.pace import MAX_AT_ONCE, Pace
from chatbot.channels.outbox.repository import Head
from chatbot.channels.outbox.schedule import BACKOFF, next_try
from chatbot.channels.outbox.service import Outbox
from chatbot.channels.outgoing import Outgoing
from chatbot.channels.queueing import deliver_soon
from chatbot.channels.schemas import CreateChannel
from chatbot.core.clock import utcnow
from chatbot.core.errors import Conflict, NotFound
from chatbot.core.ids import new_id
from chatbot.core.safe_http import OutgoingLimits, SafeHttp
from chatbot.db.models import Delivery, DeliveryAttempt
from tests.conftest import TenantRows
from tests.integration.channels.conftest import Receiver


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = utcnow()

    def __call__(self) -> datetime:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Lane:
    """Messages of one conversation, put into the outbox and sent by hand: no worker runs."""

    def __init__(self, parts: ChannelParts, outbox: Outbox, clock: Clock, channel_id: UUID, tenant_id: UUID) -> None:
        self.parts, self.outbox, self.clock = parts, outbox, clock
        self.channel_id, self.tenant_id = channel_id, tenant_id
        self.conversation = new_id()

    async def put(self, *texts: str) -> None:
        connected = await self.parts.accounts.get(self.channel_id)
        async with self.parts.database.tenant(self.tenant_id) as session:
            for text in texts:
                message = Outgoing(thread="s1", text=text, message_id=str(new_id()))
                await self.outbox.put(
                    session, connected, message, conversation_id=self.conversation, message_id=new_id()
                )

    async def send(self) -> None:
        await self.outbox.deliver(self.tenant_id, str(self.conversation))

    async def held(self) -> bool:
        """Whether somebody waits for a lane."""
        async with self.parts.database.platform() as session:
            waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            return bool((await session.execute(waiting)).scalar_one())

    async def rows(self) -> list[Delivery]:
        async with self.parts.database.tenant_reader(self.tenant_id) as session:
            found = await repository.page(
                session, status=None, channel_id=None, conversation_id=self.conversation, before=None, limit=50
            )
        return found[::-1]

    async def tries(self, row: Delivery) -> Sequence[DeliveryAttempt]:
        async with self.parts.database.tenant_reader(self.tenant_id) as session:
            return await repository.attempts_of(session, row.id)


@pytest.fixture
async def lane(runtime: Runtime, tenant: TenantRows, receiver: Receiver) -> AsyncIterator[Lane]:
    settings = runtime.settings
    parts = make_channel_parts(
        settings, runtime.database, runtime.jobs, runtime.blobs, runtime.http, runtime.hot_sessions
    )
    wanted = CreateChannel.model_validate(
        {
            "tenant_id": str(tenant.id),
            "channel_type": "webhook",
            "display_name": "Shop",
            "credentials": {"webhook_url": receiver.url},
        }
    )
    row, _ = await parts.channels.create(tenant.id, wanted)
    clock = Clock()
    impatient = OutgoingLimits(total=60.0, silence=3.0)
    async with SafeHttp(allow_private_hosts=frozenset({"127.0.0.1"}), limits=impatient) as http:
        outbox = Outbox(runtime.database, runtime.jobs, parts.accounts, http, clock=clock, pace=Pace())
        yield Lane(parts, outbox, clock, row.channel.id, tenant.id)


def texts(receiver: Receiver) -> list[str]:
    return [body["message"]["text"] for body in receiver.got]


async def test_500_then_429_then_silence_then_well_comes_once_and_in_order(lane: Lane, receiver: Receiver) -> None:
    receiver.answers = [
        web.Response(status=500),
        web.Response(status=429, headers={"Retry-After": "90"}),
        6.0,
        web.Response(status=200),
    ]
    await lane.put("one", "two")
    await lane.send()
    await lane.send()  # not due yet: nothing is sent
    assert texts(receiver) == ["one"]
    lane.clock.turn(BACKOFF[0])
    await lane.send()  # 429: held back for as long as it asks, which is no failure
    lane.clock.turn(80)
    await lane.send()
    assert texts(receiver) == ["one", "one"]
    lane.clock.turn(10)
    await lane.send()  # silence
    lane.clock.turn(BACKOFF[1] - 10)
    await lane.send()
    assert len(receiver.got) == 3
    lane.clock.turn(10)
    await lane.send()
    assert texts(receiver) == ["one", "one", "one", "one", "two"]
    assert len({headers["webhook-id"] for headers in receiver.headers[:4]}) == 1
    first, second = await lane.rows()
    assert (first.status, first.attempts, first.failures) == ("sent", 4, 2)
    assert (second.status, second.attempts) == ("sent", 1)
    assert [one.outcome for one in await lane.tries(first)] == ["failed", "rate_limited", "failed", "sent"]


async def test_the_schedule_to_the_dead_letter_and_its_replay(lane: Lane, receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=502) for _ in range(len(BACKOFF) + 1)]
    await lane.put("lost", "after it")
    began = lane.clock.now
    sent_at = []
    for wait in (*BACKOFF, 0):
        await lane.send()
        sent_at.append((lane.clock.now - began).total_seconds())
        lane.clock.turn(wait)
    assert sent_at == [0, 5, 305, 2105, 9305, 27305, 63305, 99305]
    dead, after = await lane.rows()
    assert (dead.status, dead.attempts, dead.last_error) == ("dead", 8, "The address answered HTTP 502")
    assert after.status == "pending"
    await lane.send()
    assert texts(receiver)[-1] == "after it"

    replayed = await lane.outbox.replay(lane.tenant_id, dead.id)
    assert replayed.status == "pending"
    await lane.send()
    assert texts(receiver)[-1] == "lost"
    assert {headers["webhook-id"] for headers in receiver.headers if headers["webhook-id"] == str(dead.id)}
    with pytest.raises(Conflict, match="only a dead letter"):
        await lane.outbox.replay(lane.tenant_id, dead.id)
    with pytest.raises(NotFound):
        await lane.outbox.replay(lane.tenant_id, new_id())


async def test_a_late_try_does_not_stand_in_the_way_of_an_earlier_one(lane: Lane, runtime: Runtime) -> None:
    jobs = runtime.jobs
    async with lane.parts.database.tenant(lane.tenant_id) as session:
        for seconds in (36_000, 5, 6, 40_000):
            await deliver_soon(jobs, session, lane.tenant_id, "one", in_seconds=seconds)
    async with lane.parts.database.platform() as session:
        waits = await session.scalars(text(
            "SELECT round(extract(epoch FROM scheduled_at - now())) FROM procrastinate_jobs WHERE lock = 'lane:one'"
        ))  # fmt: skip
        assert sorted(wait > 3_600 for wait in waits) == [False, True]


async def test_a_definite_refusal_is_a_dead_letter_at_once_and_the_rest_goes_on(lane: Lane, receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=410, text="no such\nshop")]
    await lane.put("refused", "taken")
    await lane.send()
    refused, taken = await lane.rows()
    assert (refused.status, refused.attempts, taken.status) == ("dead", 1, "sent")
    assert [one.words for one in await lane.tries(refused)] == ["The address answered HTTP 410: no such shop"]


async def test_a_rate_limit_holds_the_whole_account_back(lane: Lane, receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=429, headers={"Retry-After": "60"})]
    other = Lane(lane.parts, lane.outbox, lane.clock, lane.channel_id, lane.tenant_id)
    await lane.put("first")
    await other.put("of another conversation")
    await lane.send()
    await other.send()
    assert texts(receiver) == ["first"]
    lane.clock.turn(60)
    await other.send()
    await lane.send()
    assert texts(receiver)[1:] == ["of another conversation", "first"]


async def test_a_receipt_is_noted_and_never_goes_back(lane: Lane, receiver: Receiver) -> None:
    await lane.put("hello")
    await lane.send()
    row = (await lane.rows())[0]
    assert row.provider_message_id
    channel = await lane.parts.accounts.get(lane.channel_id)
    for number, status in enumerate(("delivered", "read", "sent", "delivered")):
        receipt = Receipt(status, (row.provider_message_id,))  # type: ignore[arg-type]
        await lane.parts.inbox.take(channel, [InboundEvent(f"r{number}", "s1", receipt)])
    assert (await lane.rows())[0].receipt == "read"


async def test_a_watermark_is_noted_on_what_was_sent_by_then(lane: Lane, receiver: Receiver) -> None:
    await lane.put("one", "two")
    await lane.send()
    sent = [row.finished_at for row in await lane.rows()]
    assert sent[0]
    for moment, expected in ((sent[0] - timedelta(seconds=1), [None, None]), (sent[0], ["read", None])):
        async with lane.parts.database.tenant(lane.tenant_id) as session:
            await repository.receipt_until(session, lane.conversation, "read", moment)
        assert [row.receipt for row in await lane.rows()] == expected


async def test_what_waits_and_what_is_dead_is_counted(lane: Lane, receiver: Receiver) -> None:
    async def depth() -> tuple[int, int]:
        async with lane.parts.database.platform() as session:
            return await repository.depth(session)

    waiting, dead = await depth()
    receiver.answers = [web.Response(status=410)]
    await lane.put("one", "two")
    assert await depth() == (waiting + 2, dead)
    await lane.send()
    assert await depth() == (waiting, dead + 1)


async def test_what_is_added_while_a_worker_looks_is_not_left_behind(lane: Lane, receiver: Receiver) -> None:
    """A job of the lane waits, so the second message adds none; the job runs before the message is committed."""
    await lane.put("one")
    await lane.send()
    connected = await lane.parts.accounts.get(lane.channel_id)
    async with lane.parts.database.tenant(lane.tenant_id) as session:
        message = Outgoing(thread="s1", text="two", message_id=str(new_id()))
        await lane.outbox.put(session, connected, message, conversation_id=lane.conversation, message_id=new_id())
        worker = asyncio.create_task(lane.send())
        while not await lane.held():
            assert not worker.done(), "the worker did not see that somebody adds to the lane"
            await asyncio.sleep(0.01)
    await worker
    assert texts(receiver) == ["one", "two"]


async def test_a_removed_channel_leaves_a_dead_letter_that_says_so(lane: Lane, receiver: Receiver) -> None:
    await lane.put("hello")
    await lane.parts.channels.delete(lane.tenant_id, lane.channel_id)
    await lane.send()
    row = (await lane.rows())[0]
    assert (row.status, row.last_error) == ("dead", "the channel was removed")
    assert receiver.got == []


async def test_two_workers_who_both_try_a_delivery_tell_of_it_once(lane: Lane, receiver: Receiver) -> None:
    """One of them was taken for dead and the lane given to the other."""
    both = asyncio.Barrier(2)
    receiver.answers = [web.Response(status=410), web.Response(status=410)]
    await lane.put("refused")
    call = lane.outbox._call

    async def together(channel: ConnectedChannel, head: Head) -> Any:
        tried = await call(channel, head)
        await both.wait()
        return tried

    lane.outbox._call = together  # type: ignore[method-assign]
    await asyncio.gather(lane.send(), lane.send())
    (row,) = await lane.rows()
    assert (row.status, row.attempts, len(await lane.tries(row))) == ("dead", 1, 1)
    async with lane.parts.database.tenant_reader(lane.tenant_id) as session:
        told = await session.scalars(text("SELECT payload->>'delivery_id' FROM events WHERE name = 'delivery.dead'"))
        assert list(told) == [str(row.id)]


async def test_a_try_that_comes_too_late_queues_nothing(lane: Lane, receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=503)]
    await lane.put("sent by another meanwhile")
    (row,) = await lane.rows()
    call = lane.outbox._call

    async def overtaken(channel: ConnectedChannel, head: Head) -> Any:
        tried = await call(channel, head)
        async with lane.parts.database.tenant(lane.tenant_id) as session:
            await session.execute(text("UPDATE deliveries SET status = 'sent' WHERE id = :id"), {"id": row.id})
        return tried

    lane.outbox._call = overtaken  # type: ignore[method-assign]
    async with lane.parts.database.platform() as session:
        await session.execute(text("DELETE FROM procrastinate_jobs WHERE task_name = 'channels:deliver'"))
    await lane.send()
    async with lane.parts.database.platform() as session:
        jobs = await session.scalar(text(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'channels:deliver' AND status = 'todo'"
        ))  # fmt: skip
        failed = await session.scalar(
            text("SELECT last_error FROM channel_states WHERE id = :id"), {"id": lane.channel_id}
        )
    assert (jobs, failed) == (0, None)


@pytest.mark.parametrize(
    ("outcome", "failures", "age_hours", "wait"),
    [
        (RetryAfter("x"), 0, 0, 5),
        (RetryAfter("x"), 6, 20, 36_000),
        (RetryAfter("x"), 7, 30, None),
        (RetryAfter("x", 20.0), 0, 0, 20),
        (RetryAfter("x", 1.0), 1, 0, 300),
        (RetryAfter("x", 7_200.0), 0, 0, 7_200),
        (RetryAfter("x", 7_200.0, rate_limited=True), 3, 0, 7_200),
        (RetryAfter("x", 7_200.0), 4, 10, BACKOFF[4]),
        (RetryAfter("x", 86_400.0), 0, 0, 86_400),
        (RetryAfter("x", 1e9), 0, 0, 86_400),
        (RetryAfter("x", 1e9, rate_limited=True), 0, 0, 86_400),
        (RetryAfter("x", rate_limited=True), 7, 0, 5),
        (RetryAfter("x", 3.0, rate_limited=True), 0, 49, None),
    ],
)
def test_when_to_try_again(outcome: RetryAfter, failures: int, age_hours: float, wait: Any) -> None:
    now = utcnow()
    again = next_try(outcome, failures=failures, created_at=now - timedelta(hours=age_hours), now=now)
    assert again == (None if wait is None else now + timedelta(seconds=wait))


async def test_lanes_of_an_account_that_hangs_look_again_late(lane: Lane) -> None:
    now = 100.0
    pace = Pace(lambda: now)
    channel = await lane.parts.accounts.get(lane.channel_id)
    async with AsyncExitStack() as calls:
        for number in range(MAX_AT_ONCE):
            assert await calls.enter_async_context(pace.turn(channel, str(number)))
        assert not await calls.enter_async_context(pace.turn(channel, "one too many"))
        assert pace.again_in(channel) == 1
        now += 60
        waits = [pace.again_in(channel) for _ in range(20)]
        assert waits[:2] == [15, 22.5], "sixty seconds they have hung, eight at once"
        assert min(waits[2:]) >= 30
        assert len(set(waits)) == len(waits), "not all at once"
    assert pace.again_in(channel) == 1
