"""Provider events × 5 copies, shuffled over four gateways, while every process is killed with -9 again and again."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from chatbot.apps.channel_parts import make_channel_parts
from chatbot.apps.runtime import Runtime
from chatbot.channels.schemas import CreateChannel
from tests.conftest import TenantRows
from tests.faults.fleet import running_fleet
from tests.faults.peer import Replies, Sender

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_COPIES = 5
_SEED = 20
_SETTLE_SECONDS = 400
_MESSAGES = text("""
SELECT c.session_key, m.id, m.seq, m.role, m.status, m.text, m.reply_to, m.provider_message_id
FROM messages m JOIN conversations c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id
WHERE m.tenant_id = :tenant_id ORDER BY c.session_key, m.seq
""")
_LEFT = text("SELECT count(*) FROM deliveries WHERE tenant_id = :tenant_id AND status <> 'sent'")
_CONVERSATIONS = text("SELECT count(*) FROM conversations WHERE tenant_id = :tenant_id")


@dataclass
class Stored:
    """What the rows say of one visitor, in order."""

    asked: list[Any] = field(default_factory=list)
    answered: list[Any] = field(default_factory=list)
    unfinished: list[Any] = field(default_factory=list)


@dataclass
class World:
    """The test's own view of the platform's database, and a channel that its processes serve."""

    runtime: Runtime
    tenant: TenantRows
    channel_id: UUID
    secret: str

    async def by_visitor(self) -> dict[str, Stored]:
        async with self.runtime.database.tenant_reader(self.tenant.id) as session:
            rows = (await session.execute(_MESSAGES, {"tenant_id": self.tenant.id})).all()
        found: dict[str, Stored] = {}
        for row in rows:
            stored = found.setdefault(row.session_key, Stored())
            if row.role == "visitor":
                stored.asked.append(row)
            elif row.status == "streaming":
                stored.unfinished.append(row)
            elif row.text:
                stored.answered.append(row)
        return found

    async def unanswered(self) -> int:
        """How many messages no reply covers: a reply answers its question and what was asked before it."""
        open_ = 0
        for stored in (await self.by_visitor()).values():
            places = {row.id: row.seq for row in stored.asked}
            until = max((places[row.reply_to] for row in stored.answered), default=0)
            open_ += sum(row.seq > until for row in stored.asked)
        return open_

    async def count(self, statement: Any) -> int:
        async with self.runtime.database.tenant_reader(self.tenant.id) as session:
            return int((await session.execute(statement, {"tenant_id": self.tenant.id})).scalar_one())


@pytest.fixture
async def world(runtime: Runtime, tenant: TenantRows, replies: Replies) -> World:
    parts = make_channel_parts(
        runtime.settings, runtime.database, runtime.jobs, runtime.blobs, runtime.http, runtime.hot_sessions
    )
    wanted = CreateChannel.model_validate(
        {
            "tenant_id": str(tenant.id),
            "channel_type": "webhook",
            "display_name": "Shop",
            "credentials": {"webhook_url": replies.url},
        }
    )
    row, secret = await parts.channels.create(tenant.id, wanted)
    return World(runtime, tenant, row.channel.id, secret)


def message(visitor: int, number: int) -> dict[str, Any]:
    return {
        "session_id": f"visitor {visitor}",
        "message_id": str(number),
        "text": f"Where is parcel {visitor}-{number}?",
    }


async def until_settled(world: World, replies: Replies, messages: int) -> None:
    """Wait until everything is stored, answered and delivered, or nothing has moved for long."""
    until = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < until:
        stored = await world.by_visitor()
        asked = sum(len(one.asked) for one in stored.values())
        answered = sum(len(one.answered) for one in stored.values())
        open_ = await world.unanswered() + sum(len(one.unfinished) for one in stored.values())
        # What was sent by a process that was killed before it could say so is sent again, half a minute later.
        if asked >= messages and not open_ and replies.distinct >= answered and not await world.count(_LEFT):
            break
        await asyncio.sleep(1)
    await asyncio.sleep(2)  # what would come twice comes now


async def check(world: World, replies: Replies, visitors: int, messages: int) -> int:
    """Everything once and in order; return how many replies there were."""
    stored = await world.by_visitor()
    assert len(stored) == visitors
    assert await world.count(_CONVERSATIONS) == visitors
    assert sum(len(one.asked) for one in stored.values()) == messages
    assert await world.unanswered() == 0
    assert await world.count(_LEFT) == 0
    for visitor, one in stored.items():
        assert not one.unfinished, visitor
        came = [reply["id"] for reply in replies.by_visitor[visitor]]
        assert came == [str(row.id) for row in one.answered], visitor
        questions = [row.reply_to for row in one.answered]
        assert len(set(questions)) == len(questions), f"{visitor}: a message was answered twice"
    return sum(len(one.answered) for one in stored.values())


async def test_a_thousand_visitors_ask_once(
    world: World, replies: Replies, database_url: str, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    visitors, kills, chance = 1000, 12, random.Random(_SEED)
    told = [message(visitor, 1) for visitor in range(visitors)] * _COPIES
    chance.shuffle(told)
    began = time.monotonic()
    async with running_fleet(database_url, world.runtime.settings, data_dir) as fleet:
        sender = Sender(fleet, str(world.channel_id), world.secret, chance)
        await asyncio.gather(sender.tell(told), fleet.torment(random.Random(_SEED), kills, (0.5, 2.5)))
        await until_settled(world, replies, visitors)
        _tell(
            capsys,
            f"{visitors} messages, {fleet.kills} kills, {replies.repeats} repeats, {sender.retries} retries",
            began,
        )
        assert await check(world, replies, visitors, visitors) == visitors
        assert replies.distinct == visitors


async def test_bursts_are_answered_whole_and_in_order(
    world: World, replies: Replies, database_url: str, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    visitors, bursts, kills, chance = 40, 6, 8, random.Random(_SEED)
    began = time.monotonic()
    async with running_fleet(database_url, world.runtime.settings, data_dir) as fleet:
        sender = Sender(fleet, str(world.channel_id), world.secret, chance)
        torment = asyncio.create_task(fleet.torment(random.Random(_SEED + 1), kills, (0.5, 2.5)))
        for burst in range(bursts):
            told = [message(visitor, 3 * burst + n) for visitor in range(visitors) for n in range(3)] * _COPIES
            chance.shuffle(told)
            await sender.tell(told)
        await torment
        messages = visitors * bursts * 3
        await until_settled(world, replies, messages)
        answers = sum(len(came) for came in replies.by_visitor.values())
        _tell(capsys, f"{messages} messages, {answers} replies, {fleet.kills} kills, {replies.repeats} repeats", began)
        await check(world, replies, visitors, messages)


def _tell(capsys: pytest.CaptureFixture[str], words: str, began: float) -> None:
    with capsys.disabled():
        print(f"\n{words}, {time.monotonic() - began:.0f} s")
