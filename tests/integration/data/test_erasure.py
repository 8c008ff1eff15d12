"""A visitor is erased: afterwards nothing of them stands in any table, file, log or cache."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import httpx
import orjson
import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from chatbot.apps.orchestrator import create_app
from chatbot.apps.runtime import Runtime, open_runtime
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.db.models import Base, Channel, Conversation
from chatbot.db.roles import PLATFORM_ROLE
from chatbot.db.sessions import Database
from chatbot.dialogue.hot_sessions import HotSession
from chatbot.identity.subject import Role
from chatbot.ops.erasure import folders
from chatbot.ops.erasure.holdings_repository import HOLDINGS, NOTHING_OF_VISITORS
from chatbot.ops.erasure.schemas import Removed
from tests.conftest import TEST_KEYS, TenantRows, bearer, make_tenant
from tests.integration.data.canary import CANARY, EMAIL, SUBJECT, found_in_files, found_in_tables, log_line, plant
from tests.redis_server import RedisServer

_OPEN_TRANSACTIONS = """
SELECT query FROM pg_stat_activity
WHERE datname = current_database() AND usename = %s AND state LIKE 'idle in transaction%%'
"""


def _path(tenant: TenantRows) -> str:
    return f"/admin/tenants/{tenant.id}/erasures"


def test_every_table_says_what_it_holds_of_visitors(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname <> 'alembic_version'"
        ).fetchall()
    held = [holding.table for holding in HOLDINGS]
    assert len(held) == len(set(held))
    assert {row[0] for row in rows} == set(held) | NOTHING_OF_VISITORS.keys()
    assert not set(held) & NOTHING_OF_VISITORS.keys()
    assert set(Base.metadata.tables) <= set(held) | NOTHING_OF_VISITORS.keys()


@pytest.mark.parametrize("language", ["en", "fa", "es"])
def test_the_console_has_words_for_everything_that_is_counted(language: str) -> None:
    words = orjson.loads(Path(f"services/frontend/src/locales/{language}.json").read_bytes())
    counted = {holding.table for holding in HOLDINGS} | (Removed.model_fields.keys() - {"rows"})
    assert sorted(name for name in counted if f"counted.{name}" not in words) == []


async def test_the_canary_is_planted_in_every_table_that_holds_something(
    database_url: str, runtime: Runtime, tenant: TenantRows
) -> None:
    await plant(runtime.database, tenant, word="ganzanders4410")
    found = {place.partition(".")[0] for place in found_in_tables(database_url, "ganzanders4410")}
    numbers = {"message_terms", "usage_records", "procrastinate_jobs"}  # stems as hashes, counts, ids
    assert found == {holding.table for holding in HOLDINGS} - numbers


@pytest.mark.parametrize("named", ["visitor", "conversation_id", "email"])
async def test_nothing_of_a_visitor_is_left(
    named: str, database_url: str, runtime: Runtime, client: httpx.AsyncClient, tenant: TenantRows, settings: Settings
) -> None:
    planted = await plant(runtime.database, tenant)
    other = await plant(runtime.database, await make_tenant(runtime.database), word="bleibtstehen882")
    for key in (*planted.files, *other.files):
        await runtime.blobs.put(key, f"of {CANARY if key in planted.files else 'another'}".encode())
    _write(settings.folder("transcripts") / str(tenant.id) / "talk.jsonl", f"{planted.conversation}: {CANARY}".encode())
    _write(settings.folder("transcripts") / str(tenant.id) / "other.jsonl", b"somebody else")
    _write(settings.folder("logs") / "orchestrator.log", log_line("another") + log_line(CANARY.upper()))
    before = found_in_tables(database_url, "bleibtstehen882")
    body = {named: {"visitor": SUBJECT, "email": EMAIL, "conversation_id": str(planted.conversation)}[named]}

    told = await client.post(_path(tenant), json={**body, "dry_run": True}, headers=bearer())
    assert told.status_code == 201
    assert found_in_tables(database_url)
    answer = await client.post(_path(tenant), json=body, headers=bearer())
    assert answer.status_code == 201, answer.text
    receipt = answer.json()

    assert receipt["removed"]["rows"] == told.json()["removed"]["rows"]
    assert receipt["removed"]["rows"]["messages"] == 2
    assert receipt["removed"]["rows"]["tickets"] == 2
    assert (receipt["removed"]["files"], receipt["removed"]["files_waiting"]) == (2, 0)
    assert (receipt["removed"]["exports"], receipt["removed"]["log_marks"]) == (1, 1)
    assert told.json()["removed"] == receipt["removed"], "what is told beforehand is what goes"
    assert CANARY not in answer.text
    assert found_in_tables(database_url) == []
    assert found_in_files(settings.data_dir) == []
    assert log_line("another") in (settings.folder("logs") / "orchestrator.log").read_bytes()
    assert (settings.folder("transcripts") / str(tenant.id) / "other.jsonl").exists()
    assert found_in_tables(database_url, "bleibtstehen882") == before
    async with runtime.database.tenant_reader(tenant.id) as session:
        usage = await session.execute(text("SELECT input_tokens, output_tokens, cost_micros FROM usage_records"))
        assert usage.all() == [(3, 4, 5)]


async def test_an_erasure_that_breaks_at_the_files_is_finished_by_asking_again(
    database_url: str,
    runtime: Runtime,
    client: httpx.AsyncClient,
    tenant: TenantRows,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await plant(runtime.database, tenant)
    _write(settings.folder("logs") / "orchestrator.log", log_line(CANARY))

    async def full(*_: object) -> int:
        raise OSError("the disk does not answer")

    with monkeypatch.context() as broken:
        broken.setattr("chatbot.ops.erasure.folders.blank", full)
        answer = await client.post(_path(tenant), json={"visitor": SUBJECT}, headers=bearer())
    assert answer.status_code == 500
    assert found_in_tables(database_url)

    answer = await client.post(_path(tenant), json={"visitor": SUBJECT}, headers=bearer())
    assert (answer.status_code, answer.json()["removed"]["log_marks"]) == (201, 1)
    assert found_in_tables(database_url) == []
    assert found_in_files(settings.folder("logs"), CANARY) == []


@pytest.mark.parametrize(("dry_run", "reads"), [(True, "count_words"), (False, "blank")])
async def test_nobody_waits_while_the_logs_are_read(
    dry_run: bool,
    reads: str,
    database_url: str,
    runtime: Runtime,
    client: httpx.AsyncClient,
    tenant: TenantRows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    planted = await plant(runtime.database, tenant, word="wartetnicht77")
    open_transactions = []

    async def read(*_: object) -> int:
        async with runtime.database.tenant(tenant.id) as session:
            await session.execute(text("SELECT FROM conversations FOR UPDATE NOWAIT"))
        with psycopg.connect(database_url) as connection:
            open_transactions.extend(connection.execute(_OPEN_TRANSACTIONS, [PLATFORM_ROLE]).fetchall())
        return 0

    monkeypatch.setattr(f"chatbot.ops.erasure.folders.{reads}", read)
    body = {"conversation_id": str(planted.conversation), "dry_run": dry_run}
    answer = await client.post(_path(tenant), json=body, headers=bearer())
    assert answer.status_code == 201, answer.text
    assert open_transactions == []


async def test_what_is_written_while_the_logs_are_read_goes_too(
    runtime: Runtime, client: httpx.AsyncClient, tenant: TenantRows, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plant(runtime.database, tenant)
    blank = folders.blank

    async def read(folder: Path, words: folders.Words) -> int:
        found = await blank(folder, words)
        if not (folder / "gateway.log").exists():
            _write(folder / "gateway.log", log_line(CANARY))
        return found

    monkeypatch.setattr(folders, "blank", read)
    answer = await client.post(_path(tenant), json={"visitor": SUBJECT}, headers=bearer())
    assert answer.json()["removed"]["log_marks"] == 1
    assert found_in_files(settings.folder("logs"), CANARY) == []


async def test_erasing_again_gives_a_receipt_of_nothing_and_all_are_listed(
    runtime: Runtime, client: httpx.AsyncClient, tenant: TenantRows
) -> None:
    await plant(runtime.database, tenant)
    first = await client.post(_path(tenant), json={"visitor": SUBJECT}, headers=bearer())
    again = await client.post(_path(tenant), json={"visitor": SUBJECT}, headers=bearer())
    assert again.status_code == 201
    assert again.json()["removed"]["rows"] == {}
    assert again.json()["visitor_hash"] == first.json()["visitor_hash"]
    listed = (await client.get(_path(tenant), headers=bearer())).json()["items"]
    assert [each["id"] for each in listed] == [again.json()["id"], first.json()["id"]]
    events = await client.get(f"/admin/events?tenant_id={tenant.id}&action=erase_visitor", headers=bearer())
    assert [event["target"] for event in events.json()["items"]] == [f"erasure:{each['id']}" for each in listed]


async def test_who_really_talked_is_gone(
    database_url: str, runtime: Runtime, client: httpx.AsyncClient, tenant: TenantRows, settings: Settings
) -> None:
    user = {"id": CANARY, "name": CANARY, "email": EMAIL, "page_title": CANARY}
    token = await client.post(f"/admin/tenants/{tenant.id}/embed_token", json={"user": user}, headers=bearer())
    visitor = {"Authorization": f"Bearer {token.json()['token']}"}
    said = await client.post("/v1/chat", json={"message": f"I am {CANARY}. Where is my order?"}, headers=visitor)
    assert said.status_code == 200, said.text
    assert {"conversations.visitor", "messages.text", "knowledge_gaps.question"} <= set(found_in_tables(database_url))
    answer = await client.post(
        _path(tenant), json={"conversation_id": said.json()["conversation_id"]}, headers=bearer()
    )
    assert answer.status_code == 201, answer.text
    assert found_in_tables(database_url) == []
    assert found_in_files(settings.data_dir) == []


async def test_of_a_messengers_visitors_one_is_erased_and_not_all_who_write_to_the_channel(
    runtime: Runtime, client: httpx.AsyncClient, tenant: TenantRows
) -> None:
    telegram = await _channel(runtime.database, tenant, "telegram")
    mine, also_mine, other = await _talks(runtime.database, tenant, telegram, f"channel:{telegram}", ["7", "7", "8"])
    answer = await client.post(_path(tenant), json={"conversation_id": str(mine)}, headers=bearer())
    assert answer.status_code == 201, answer.text
    assert await _left(runtime.database, tenant, [mine, also_mine, other]) == [other]
    named = await client.post(_path(tenant), json={"visitor": "telegram:8"}, headers=bearer())
    assert named.json()["removed"]["rows"]["conversations"] == 1
    assert await _left(runtime.database, tenant, [other]) == []


@pytest.mark.parametrize("speaks_for_many", ["gateway", "anonymous", "api_key:0198a2b4-0000-7000-8000-000000000001"])
async def test_who_speaks_for_many_is_no_visitor(
    speaks_for_many: str, runtime: Runtime, client: httpx.AsyncClient, tenant: TenantRows
) -> None:
    mine, other = await _talks(runtime.database, tenant, tenant.channel_id, speaks_for_many, ["", ""])
    answer = await client.post(_path(tenant), json={"conversation_id": str(mine)}, headers=bearer())
    assert answer.json()["removed"]["rows"]["conversations"] == 1
    again = await client.post(_path(tenant), json={"visitor": speaks_for_many}, headers=bearer())
    assert again.status_code == 404
    assert await _left(runtime.database, tenant, [mine, other]) == [other]


@pytest.mark.parametrize("shown", ["anon-01a2", "Maria Garcia", "maria garcia", "visitor:anon-01a2"])
async def test_who_is_named_as_the_inbox_shows_them_is_found(
    shown: str, runtime: Runtime, client: httpx.AsyncClient, tenant: TenantRows
) -> None:
    web = tenant.channel_id
    [mine] = await _talks(runtime.database, tenant, web, "visitor:anon-01a2", ["anon-01a2"], name="Maria Garcia")
    [other] = await _talks(runtime.database, tenant, web, "visitor:anon-03b4", ["anon-03b4"], name="Maria")
    for body in ({"visitor": shown, "dry_run": True}, {"visitor": shown}):
        answer = await client.post(_path(tenant), json=body, headers=bearer())
        assert answer.json()["removed"]["rows"] == {"conversations": 1}
    assert await _left(runtime.database, tenant, [mine, other]) == [other]


@pytest.mark.parametrize("named", [{"visitor": "Visitor ab7f"}, {"visitor": "visitor:none"}, {"email": "no@x.example"}])
@pytest.mark.parametrize("dry_run", [True, False])
async def test_that_there_is_no_such_visitor_is_said(
    named: dict[str, str], dry_run: bool, client: httpx.AsyncClient, tenant: TenantRows
) -> None:
    answer = await client.post(_path(tenant), json={**named, "dry_run": dry_run}, headers=bearer())
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("no such visitor")
    assert (await client.get(_path(tenant), headers=bearer())).json()["items"] == []


async def test_a_name_of_several_visitors_erases_none(
    runtime: Runtime, client: httpx.AsyncClient, tenant: TenantRows
) -> None:
    telegram = await _channel(runtime.database, tenant, "telegram")
    both = [
        *await _talks(runtime.database, tenant, telegram, f"channel:{telegram}", ["7"], name="Ann"),
        *await _talks(runtime.database, tenant, tenant.channel_id, "visitor:7", ["7"], name="Ann"),
    ]
    for shown in ("Ann", "7"):
        answer = await client.post(_path(tenant), json={"visitor": shown}, headers=bearer())
        assert answer.status_code == 409
        assert answer.json()["detail"].endswith("say which one: telegram:7, visitor:7")
    assert await _left(runtime.database, tenant, both) == sorted(both)


async def test_open_inboxes_are_told(runtime: Runtime, client: httpx.AsyncClient, tenant: TenantRows) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    runtime.bus.hear("xin_signal", heard.put_nowait)
    [mine] = await _talks(runtime.database, tenant, tenant.channel_id, "visitor:7", ["7"])
    await client.post(_path(tenant), json={"visitor": "visitor:7", "dry_run": True}, headers=bearer())
    answer = await client.post(_path(tenant), json={"visitor": "visitor:7"}, headers=bearer())
    assert answer.status_code == 201
    told = orjson.loads(await asyncio.wait_for(heard.get(), 20))
    assert told == {"kind": "erased", "tenant_id": str(tenant.id), "conversation_id": str(mine)}
    assert heard.empty(), "a preview erases nothing"


async def test_who_may_erase(client: httpx.AsyncClient, tenant: TenantRows, other_tenant: TenantRows) -> None:
    body = {"visitor": SUBJECT}
    agent = bearer(Role.AGENT, tenant.id)
    stranger = bearer(Role.TENANT_ADMIN, other_tenant.id)
    assert (await client.post(_path(tenant), json=body, headers=agent)).status_code == 403
    assert (await client.post(_path(tenant), json=body, headers=stranger)).status_code == 404
    both = {"visitor": SUBJECT, "email": EMAIL}
    assert (await client.post(_path(tenant), json=both, headers=bearer())).status_code == 422
    unknown = {"conversation_id": str(new_id())}
    assert (await client.post(_path(tenant), json=unknown, headers=bearer())).status_code == 404


async def test_hot_sessions_go_too(
    database_url: str, settings: Settings, redis: RedisServer, tenant: TenantRows
) -> None:
    reached = settings.model_copy(update={"redis_url": SecretStr(redis.url)})
    async with open_runtime(reached, database_url, TEST_KEYS) as runtime:
        planted = await plant(runtime.database, tenant)
        for conversation, name in ((planted.conversation, CANARY), (new_id(), "another")):
            runtime.hot_sessions.note(HotSession(tenant.id, tenant.channel_id, conversation, "bot", 1, "en", name))
        transport = httpx.ASGITransport(create_app(runtime))
        await _written(redis, keys=4)
        async with httpx.AsyncClient(transport=transport, base_url="http://xin.test") as client:
            answer = await client.post(_path(tenant), json={"visitor": SUBJECT}, headers=bearer())
        assert answer.json()["removed"]["sessions"] == 2
        assert sorted(redis.run("KEYS", "session:*")) == ["session:another"]


async def _written(redis: RedisServer, keys: int) -> None:
    until = time.monotonic() + 60
    while True:
        if len(redis.run("KEYS", "*")) == keys:
            return
        assert time.monotonic() < until
        await asyncio.sleep(0.02)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


async def _channel(database: Database, tenant: TenantRows, channel_type: str) -> UUID:
    channel = new_id()
    async with database.tenant(tenant.id) as session:
        session.add(
            Channel(
                tenant_id=tenant.id, id=channel, brand_id=tenant.brand_id, channel_type=channel_type, display_name="C"
            )
        )  # fmt: skip
    return channel


async def _talks(
    database: Database, tenant: TenantRows, channel_id: UUID, owner: str, people: Sequence[str], **said: str
) -> list[UUID]:
    """Insert a conversation for each of some people, by the provider's ids; return the conversations' ids."""
    ids = [new_id() for _ in people]
    async with database.tenant(tenant.id) as session:
        for conversation_id, person in zip(ids, people, strict=True):
            visitor = {"subject": owner, **({"id": person} if person else {}), **said}
            session.add(
                Conversation(
                    tenant_id=tenant.id, id=conversation_id, brand_id=tenant.brand_id, channel_id=channel_id,
                    session_key=str(conversation_id), visitor=visitor,
                )
            )  # fmt: skip
    return ids


async def _left(database: Database, tenant: TenantRows, ids: Sequence[UUID]) -> list[UUID]:
    async with database.tenant_reader(tenant.id) as session:
        found = await session.scalars(select(Conversation.id).where(Conversation.id.in_(ids)))
    return sorted(found)
