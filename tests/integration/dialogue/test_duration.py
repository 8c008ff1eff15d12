"""How long a turn takes, told by its channel's type and how it ended: to the end of the reply, not to its headers."""

import asyncio
import time
from collections.abc import Callable

import aiohttp
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from chatbot.core.metrics import TURN_OUTCOMES
from chatbot.dialogue.handoff.repository import change_floor
from tests.conftest import TenantRows
from tests.integration.dialogue.model_server import ModelServer
from tests.integration.dialogue.platform import Platform, read_events
from tests.integration.dialogue.test_faults import failing
from tests.integration.dialogue.test_with_model import REFUND


def counted(outcome: str, part: str = "count", channel_type: str = "web") -> float:
    labels = {"channel_type": channel_type, "outcome": outcome}
    return REGISTRY.get_sample_value(f"chat_turn_duration_seconds_{part}", labels) or 0.0


def all_counted() -> dict[str, float]:
    return {outcome: counted(outcome) for outcome in TURN_OUTCOMES}


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - a counter tells nobody
            await asyncio.sleep(0.02)


async def streaming(model: ModelServer) -> None:
    await until(lambda: model.open_streams > 0)


async def test_a_streams_duration_is_that_of_the_whole_reply(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    model.words, model.hold_at = ["Within ", "14 ", "days ", "[1]."], 2
    before, seconds = all_counted(), counted("answered", "sum")
    asked = asyncio.create_task(smart.stream(shop, REFUND))
    await streaming(model)
    streams = time.monotonic()
    await asyncio.sleep(1.2)
    assert all_counted() == before, "the reply has begun, and is not at its end"
    model.go.set()
    held = time.monotonic() - streams
    assert (await asked)[-1]["event"] == "done"
    await until(lambda: all_counted() == before | {"answered": before["answered"] + 1})
    assert counted("answered", "sum") - seconds >= held


async def test_a_json_answer_counts_too(smart: Platform, shop: TenantRows, model: ModelServer) -> None:
    before = all_counted()
    await smart.ask(shop, REFUND)
    await until(lambda: all_counted() == before | {"answered": before["answered"] + 1})


async def test_what_a_person_takes_over_is_withdrawn(smart: Platform, shop: TenantRows, model: ModelServer) -> None:
    before = all_counted()
    model.words, model.hold_at = ["[1] ", *["late "] * 20], 5
    asked = asyncio.create_task(smart.stream(shop, REFUND))
    await streaming(model)
    async with smart.database.tenant(shop.id) as session:
        conversation_id = (await session.execute(text("SELECT id FROM conversations"))).scalar_one()
        await change_floor(session, conversation_id, "human", events=())
    await asked
    await until(lambda: all_counted() == before | {"withdrawn": before["withdrawn"] + 1})


async def test_a_reader_that_leaves_interrupts(smart: Platform, shop: TenantRows, model: ModelServer) -> None:
    before = all_counted()
    model.words, model.pause = ["[1] ", *["word "] * 500], 0.1
    async with aiohttp.ClientSession() as client:
        answer = await client.post(f"{smart.url}/v1/chat/stream", json={"message": REFUND}, headers=smart.visitor(shop))
        async for event in read_events(answer):
            if event["event"] == "delta":
                break
        answer.close()
    await until(lambda: all_counted() == before | {"interrupted": before["interrupted"] + 1})


async def test_a_turn_that_breaks_has_failed(
    smart: Platform, shop: TenantRows, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = all_counted()
    broken = OperationalError("UPDATE", {}, ValueError("disk full"))
    monkeypatch.setattr(smart.database, "tenant", failing(smart.database.tenant, at=2, before=broken, after=None))
    assert (await smart.stream(shop, REFUND))[-1]["event"] == "error"
    await until(lambda: all_counted() == before | {"failed": before["failed"] + 1})


async def test_every_outcome_is_there_before_the_first_turn_ends(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    """A series that began with the first slow reply would not have grown for Prometheus until the second."""
    model.hold_at = 1
    asked = asyncio.create_task(smart.stream(shop, REFUND))
    await streaming(model)
    for outcome in TURN_OUTCOMES:
        labels = {"channel_type": "web", "outcome": outcome}
        assert REGISTRY.get_sample_value("chat_turn_duration_seconds_count", labels) is not None
    model.go.set()
    await asked
