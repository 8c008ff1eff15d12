"""A database that fails at the worst moment of a turn: no reply is lost, taken back or paid for twice."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chatbot.db.sessions import TenantReader, TenantSession
from chatbot.dialogue import generate
from chatbot.dialogue.commit import flush
from chatbot.dialogue.parts import Parts, Turn
from chatbot.dialogue.stored import StoredReply
from tests.conftest import TenantRows
from tests.exhausted import exhausted
from tests.integration.dialogue.model_server import ModelServer
from tests.integration.dialogue.platform import Platform, run_platform
from tests.integration.dialogue.test_with_model import REFUND, one

Tenant = Callable[[UUID], AbstractAsyncContextManager[TenantSession]]
NONE_FREE = PoolTimeout("QueuePool limit of size 2 overflow 0 reached, connection timed out, timeout 10.00")
LOST = OperationalError("COMMIT", {}, ConnectionError("connection lost"), connection_invalidated=True)


def failing(tenant: Tenant, *, at: int, before: SQLAlchemyError | None, after: SQLAlchemyError | None) -> Tenant:
    """Real transactions, of which the one numbered `at` fails before it begins or after it was committed."""
    count = 0

    @asynccontextmanager
    async def opened(tenant_id: UUID) -> AsyncIterator[TenantSession]:
        nonlocal count
        count += 1
        fails = count == at
        if fails and before:
            raise before
        async with tenant(tenant_id) as session:
            yield session
        if fails and after:
            raise after

    return opened


async def test_a_commit_whose_end_was_not_heard_of_counts_once(
    smart: Platform, shop: TenantRows, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.words = ["Within 14 days [1]."]
    monkeypatch.setattr(smart.database, "tenant", failing(smart.database.tenant, at=2, before=None, after=LOST))
    answer = await smart.ask(shop, REFUND)
    assert (answer["answer"], answer["mode"], answer["status"]) == ("Within 14 days [1].", "model", "complete")
    assert tuple(await one(smart, shop, "SELECT status, text FROM messages WHERE role = 'bot'")) == (
        "complete",
        "Within 14 days [1].",
    )
    assert (await one(smart, shop, "SELECT count(*) FROM usage_records"))[0] == 1
    assert (await one(smart, shop, "SELECT count(*) FROM events WHERE name = 'message.sent'"))[0] == 1


async def test_a_finished_reply_waits_for_a_connection(
    smart: Platform, shop: TenantRows, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.words = ["Within 14 days [1]."]
    monkeypatch.setattr(smart.database, "tenant", failing(smart.database.tenant, at=2, before=NONE_FREE, after=None))
    answer = await smart.ask(shop, REFUND)
    assert (answer["answer"], answer["mode"], answer["status"]) == ("Within 14 days [1].", "model", "complete")
    assert (await one(smart, shop, "SELECT count(*) FROM usage_records"))[0] == 1


async def test_a_partial_reply_that_finds_no_connection_is_not_missed(
    smart: Platform, shop: TenantRows, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []

    async def without(parts: Parts, turn: Turn, so_far: str) -> None:
        async with exhausted(smart.database):
            await flush(parts, turn, so_far)
        flushed.append(so_far)

    monkeypatch.setattr(generate, "FLUSH_SECONDS", 0.0)
    monkeypatch.setattr(generate, "flush", without)
    model.words = ["Within 14 days, ", "says the shop ", "[1]."]
    answer = await smart.ask(shop, REFUND)
    assert (answer["answer"], answer["status"]) == ("Within 14 days, says the shop [1].", "complete")
    assert flushed


async def test_a_reader_elsewhere_waits_for_a_connection(
    smart: Platform, shop: TenantRows, model: ModelServer, database_url: str
) -> None:
    model.words, model.hold_at = ["[1] ", "word"], 1
    async with run_platform(database_url) as other:
        asked = asyncio.create_task(smart.stream(shop, REFUND))
        while not model.open_streams:  # noqa: ASYNC110 - the server counts, it has no event
            await asyncio.sleep(0.01)
        reply_id, conversation_id = await one(
            smart, shop, "SELECT id, conversation_id FROM messages WHERE role = 'bot'"
        )
        followed = StoredReply(other.database, other.dialogue._parts.bus, shop.id, conversation_id, reply_id)
        async with exhausted(other.database):
            reading = asyncio.create_task(followed.wait())
            done, _ = await asyncio.wait({reading}, timeout=1.5)  # a few tries, of the row and of the signal
            assert not done
        model.go.set()
        last = await asyncio.wait_for(reading, 60)
    assert last.data["answer"] == (await asked)[-1]["data"]["answer"]


async def test_a_turn_that_the_database_breaks_is_closed_and_booked(
    smart: Platform, shop: TenantRows, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.words = ["Within 14 days [1]."]
    broken = OperationalError("UPDATE", {}, ValueError("disk full"))
    monkeypatch.setattr(smart.database, "tenant", failing(smart.database.tenant, at=2, before=broken, after=None))
    events = await smart.stream(shop, REFUND)
    assert events[-1]["event"] == "error"
    async with asyncio.timeout(30):
        while (row := await one(smart, shop, "SELECT status, text FROM messages WHERE role = 'bot'"))[0] == "streaming":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert tuple(row) == ("interrupted", "")
    assert (await one(smart, shop, "SELECT count(*) FROM usage_records"))[0] == 1


async def test_a_reader_elsewhere_outlives_a_lost_connection(
    smart: Platform, shop: TenantRows, model: ModelServer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.words, model.pause = ["[1] ", *["word "] * 20], 0.1
    async with run_platform(database_url) as other:
        asked = asyncio.create_task(smart.stream(shop, REFUND))
        while not model.open_streams:  # noqa: ASYNC110 - the server counts, it has no event
            await asyncio.sleep(0.01)
        reply_id, conversation_id = await one(
            smart, shop, "SELECT id, conversation_id FROM messages WHERE role = 'bot'"
        )
        reader, count = other.database.tenant_reader, 0

        @asynccontextmanager
        async def lost_at_times(tenant_id: UUID) -> AsyncIterator[TenantReader]:
            nonlocal count
            count += 1
            if count % 2:
                raise LOST
            async with reader(tenant_id) as session:
                yield session

        monkeypatch.setattr(other.database, "tenant_reader", lost_at_times)
        followed = StoredReply(other.database, other.dialogue._parts.bus, shop.id, conversation_id, reply_id)
        begun = time.monotonic()
        last = await asyncio.wait_for(followed.wait(), 60)
        seconds = time.monotonic() - begun
    assert last.data["answer"] == (await asked)[-1]["data"]["answer"] == "[1] " + ("word " * 20).strip()
    assert count < 6 + 3 * seconds
