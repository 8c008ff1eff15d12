"""An orchestrator killed with -9 in the middle of streamed answers: questions are kept, no answer is left open."""

import asyncio
import time
from pathlib import Path
from uuid import UUID

import aiohttp
import pytest
from sqlalchemy import text

from chatbot.core.settings import Settings
from chatbot.db.sessions import Database
from chatbot.identity.tokens import issue_embed_token
from tests.conftest import TEST_KEYS, TenantRows
from tests.faults.bounds import at_most
from tests.faults.fleet import Member, shared_variables
from tests.integration.dialogue.model_server import run_model_server
from tests.integration.dialogue.platform import DOCUMENTS, add_knowledge, read_events
from tests.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

_STREAMS = 12
_QUESTION = "How do I reset my password on iPhone?"
_CLOSED_WITHIN = at_most(60)
"""Without who looks after replies none of them would be closed ever."""
_ROWS = text("SELECT role, status, count(*) FROM messages WHERE tenant_id = :tenant_id GROUP BY role, status")


async def _rows(database: Database, tenant_id: UUID) -> dict[tuple[str, str], int]:
    async with database.tenant_reader(tenant_id) as session:
        rows = await session.execute(_ROWS, {"tenant_id": tenant_id})
        return {(role, status): count for role, status, count in rows}


def _headers(tenant: TenantRows, number: int) -> dict[str, str]:
    token, _ = issue_embed_token(
        TEST_KEYS, tenant_id=tenant.id, brand_id=tenant.brand_id, visitor={"id": f"v{number}"}, origin=None
    )
    return {"Authorization": f"Bearer {token}"}


async def _cut(http: aiohttp.ClientSession, headers: dict[str, str], begun: asyncio.Barrier) -> str:
    """Ask, say when words come, and read until the process is gone; return where the stream was."""
    place, seen = "", list[str]()
    async with http.post("/v1/chat/stream", json={"message": _QUESTION}, headers=headers) as answer:
        assert answer.status == 200
        try:
            async for event in read_events(answer):
                if event["event"] == "delta" and "delta" not in seen:
                    await begun.wait()
                seen.append(event["event"])
                place = event["id"]
        except aiohttp.ClientError:
            return place
    return place


async def test_no_reply_is_left_open_and_no_question_is_lost(
    database: Database, tenant: TenantRows, database_url: str, settings: Settings, data_dir: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    await add_knowledge(database, tenant, DOCUMENTS)
    async with run_model_server() as model:
        model.words, model.pause = ["[1] ", *["word "] * 400], 0.3
        port = free_port()
        shared = shared_variables(database_url, settings, data_dir) | {
            "ORCHESTRATOR_PORT": str(port), "SMART_MODE_ENABLED": "true", "DATABASE_POOL_SIZE": "8",
            "OPENAI_API_KEY": "a-key-of-the-tests", "OPENAI_BASE_URL": model.url,
        }  # fmt: skip
        orchestrator = Member("orchestrator", port, shared, data_dir / "orchestrator.log")
        try:
            await orchestrator.start()
            await _killed_while_it_streams(orchestrator, database, tenant, capsys)
        finally:
            await orchestrator.stop()


async def _killed_while_it_streams(
    orchestrator: Member, database: Database, tenant: TenantRows, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = asyncio.Barrier(_STREAMS + 1)
    async with aiohttp.ClientSession(orchestrator.url) as http:
        streams = [asyncio.create_task(_cut(http, _headers(tenant, n), begun)) for n in range(_STREAMS)]
        await begun.wait()
        assert (await _rows(database, tenant.id))[("bot", "streaming")] == _STREAMS
        await orchestrator.kill()
        killed = time.monotonic()
        places = await asyncio.gather(*streams)
    await orchestrator.start()
    async with asyncio.timeout(_CLOSED_WITHIN - (time.monotonic() - killed)):
        while ("bot", "streaming") in await _rows(database, tenant.id):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.5)
    closed = time.monotonic() - killed
    rows = await _rows(database, tenant.id)
    assert sum(count for (role, _), count in rows.items() if role == "visitor") == _STREAMS
    async with aiohttp.ClientSession(orchestrator.url) as http:
        ends = [await _end(http, _headers(tenant, n), place) for n, place in enumerate(places)]
    with capsys.disabled():
        print(f"\n{_STREAMS} streams cut, closed {closed:.0f} s after the kill; who came back saw {set(ends)}")
    assert set(ends) <= {"done", "error"}


async def _end(http: aiohttp.ClientSession, headers: dict[str, str], place: str) -> str:
    """Come back to a stream; return its last event."""
    resumed = {**headers, "Last-Event-ID": place}
    async with http.get(f"/v1/chat/stream/{place.partition(':')[0]}", headers=resumed) as answer:
        assert answer.status == 200, await answer.text()
        return [event["event"] async for event in read_events(answer)][-1]
