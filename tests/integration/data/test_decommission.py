"""A tenant is taken out of service: archived, nothing answers or authenticates, restored, purged."""

import asyncio
import hashlib
import io
import json
import time
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from chatbot.apps.data_parts import daily_retention
from chatbot.core.clock import utcnow
from chatbot.core.crypto import hash_secret
from chatbot.core.errors import Unavailable
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.identity.subject import Role
from chatbot.ops.analytics.keeping import Keeper
from tests.conftest import TenantRows, bearer, make_tenant
from tests.integration.data.canary import CANARY, found_in_files, found_in_tables
from tests.integration.identity.people import make_person
from tests.whole import Whole, signed, whole_platform

REFUND = "How do I get a refund?"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Searching by words is enough here."""
    return settings.model_copy(update={"embedder": "none"})


@pytest.fixture
async def whole(database_url: str, settings: Settings, tenant: TenantRows) -> AsyncIterator[Whole]:
    """Orchestrator and gateway in one process, on two ports."""
    async with whole_platform(settings, database_url, tenant) as running:
        yield running


class Doors:
    """Every way into a tenant, each a call that gives a status (sockets: 101 or 403)."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole

    async def build(self) -> None:
        """Make a credential of each kind."""
        whole, tenant = self._whole, self._whole.tenant.id
        self.person = await make_person(whole.runtime.database, {tenant: "tenant_admin"})
        session = await self._post("/auth/login", self.person.sign_in)
        self.jwt = {"Authorization": f"Bearer {session['access_token']}"}
        self.refresh = session["refresh_token"]
        key = {"tenant_id": str(tenant), "name": "Program", "role": "tenant_admin"}
        self.key = (await whole.ask("POST", "/admin/api_keys", key, status=201))["key"]
        made = await whole.ask("POST", f"/admin/tenants/{tenant}/embed_token", {"user": {"id": CANARY}})
        self.embed = made["token"]
        self.webhook = await whole.channel("webhook", {"webhook_url": "http://127.0.0.1:9/"})
        self.web = await whole.channel("web", {})

    async def walk(self) -> dict[str, int]:
        """Knock at every door."""
        whole, tenant = self._whole, self._whole.tenant.id
        key, embed = {"Authorization": f"Bearer {self.key}"}, {"Authorization": f"Bearer {self.embed}"}
        ask, session = {"message": REFUND}, {"sessionId": str(new_id()), "message": REFUND}
        chat = {"channel_id": self.web["id"], "session_id": "s", "message_id": str(new_id()), "text": REFUND}
        raw = orjson.dumps(chat)
        said = {"session_id": "t", "message_id": str(new_id()), "text": REFUND}
        return {
            "login": await self._status("POST", "/auth/login", self.person.sign_in),
            "refresh": await self._status("POST", "/auth/refresh", {"refresh_token": self.refresh}),
            "admin token": await self._status("GET", f"/admin/brands?tenant_id={tenant}", headers=self.jwt),
            "api key": await self._status("GET", f"/admin/brands?tenant_id={tenant}", headers=key),
            "command line": await self._status(
                "GET", f"/admin/brands?tenant_id={tenant}", headers=bearer(Role.TENANT_ADMIN, tenant)
            ),
            "chat, embed token": await self._status("POST", "/v1/chat", ask, embed),
            "chat, api key": await self._status("POST", "/v1/chat", ask, key),
            "stream": await self._status("POST", "/v1/chat/stream", ask, embed),
            "api chat": await self._status("POST", "/api/chat", session, embed),
            "new embed token": await self._status("POST", f"/admin/tenants/{tenant}/embed_token", {}, bearer()),
            "snippet": await self._status("GET", f"/admin/tenants/{tenant}/embed_snippet", headers=bearer()),
            "widget": await self._status("GET", f"/v1/widget/config?tenant_id={tenant}"),
            "web chat": (
                await whole.gateway.post("/webchat/webhook", data=raw, headers=signed(self.web["secret"], raw))
            ).status,
            "webhook": (await whole.tell(self.webhook, said)).status,
            "socket": await self._socket(),
        }

    async def _post(self, path: str, body: Any) -> Any:
        async with self._whole.api.post(path, json=body) as answer:
            return await answer.json()

    async def _status(self, method: str, path: str, body: Any = None, headers: Any = None) -> int:
        async with self._whole.api.request(method, path, json=body, headers=headers) as answer:
            await answer.read()
            return answer.status

    async def _socket(self) -> int:
        url = self._whole.gateway_url.replace("http://", "ws://") + "/ws"
        try:
            async with asyncio.timeout(60), connect(url, compression=None) as socket:
                await socket.send(json.dumps({"type": "hello", "token": self.embed}))
                return 101 if json.loads(await socket.recv())["type"] == "ready" else 403
        except ConnectionClosed:
            return 403


async def test_nothing_answers_or_authenticates_afterwards(whole: Whole, database_url: str, settings: Settings) -> None:
    doors, tenant = Doors(whole), whole.tenant
    await doors.build()
    before = await doors.walk()
    assert {name: status for name, status in before.items() if status >= 400} == {}
    async with whole.runtime.database.platform() as session:
        await session.execute(text("UPDATE knowledge_sources SET blob_key = 'knowledge/k' WHERE title = 'Refunds'"))
    await whole.runtime.blobs.put("knowledge/k", b"the document")

    receipt = await whole.ask("DELETE", f"/admin/tenants/{tenant.id}")
    assert await whole.ask("DELETE", f"/admin/tenants/{tenant.id}") == receipt
    assert (await whole.ask("GET", "/admin/decommissions?limit=1"))["items"] == [receipt]

    until = time.monotonic() + 120  # what a process remembers of credentials runs out in 30 seconds
    while open_doors := {name for name, status in (await doors.walk()).items() if status < 400}:
        assert open_doors == {"socket"}, open_doors
        assert time.monotonic() < until, open_doors
        await asyncio.sleep(2)
    assert [key["sha256"] for key in receipt["api_keys"]] == [hash_secret(doors.key)]
    hashes = {secret["sha256"] for secret in receipt["secrets"]}
    assert {hash_secret(doors.webhook["secret"]), hash_secret(doors.web["secret"])} <= hashes
    assert receipt["sessions_ended"] >= 1
    for secret in (doors.webhook["secret"], doors.key):
        assert found_in_tables(database_url, secret) == []
    archive = await whole.runtime.blobs.get(receipt["archive"]["key"])
    assert hashlib.sha256(archive).hexdigest() == receipt["archive"]["sha256"]
    _look_into(archive, receipt)
    async with whole.runtime.database.platform() as session:
        rows = await session.execute(
            text("SELECT count(*) FROM audit_events WHERE action = 'tenant_decommissioned' AND target = :target"),
            {"target": f"tenant:{tenant.id}"},
        )
        assert rows.scalar_one() == 2  # in the tenant's chain, and the platform's
        queued = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND args->>'tenant_id' = :id")
        assert (await session.execute(queued, {"id": str(tenant.id)})).scalar_one() == 0


def _look_into(archive: bytes, receipt: Any) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        messages = [orjson.loads(line) for line in opened.read("messages.jsonl").splitlines()]
        assert len(messages) == receipt["archive"]["counts"]["messages"] > 0
        assert {message["text"] for message in messages if message["role"] == "visitor"} == {REFUND}
        assert b"14 days" in opened.read("passages.jsonl")
        kept = [name for name in opened.namelist() if name.startswith("knowledge_files/")]
        assert [opened.read(name) for name in kept] == [b"the document"]


async def test_a_tenant_comes_back_within_the_window(whole: Whole) -> None:
    doors, tenant = Doors(whole), whole.tenant
    await doors.build()
    assert (await doors.walk())["socket"] == 101
    archive = (await whole.ask("DELETE", f"/admin/tenants/{tenant.id}"))["archive"]["key"]
    back = await whole.ask("POST", f"/admin/tenants/{tenant.id}/restore")
    assert back["id"] == str(tenant.id)
    again = await doors.walk()
    for good in ("login", "chat, embed token", "snippet", "widget"):
        assert again[good] < 400, (good, again)
    for dead in ("refresh", "api key", "chat, api key", "web chat", "webhook"):
        assert again[dead] >= 400, (dead, again)
    async with asyncio.timeout(90):  # what is erased from now on must not stay in the archive
        while archive in [key async for key in whole.runtime.blobs.all_keys()]:  # noqa: ASYNC110 - another process' work
            await asyncio.sleep(0.2)
    await whole.ask("POST", f"/admin/tenants/{tenant.id}/restore", status=404)
    await whole.ask("DELETE", f"/admin/tenants/{tenant.id}")
    async with whole.runtime.database.platform() as session:
        await session.execute(text("UPDATE tenants SET deleted_at = '2001-01-01' WHERE id = :id"), {"id": tenant.id})
    await whole.ask("POST", f"/admin/tenants/{tenant.id}/restore", status=409)


async def test_one_that_broke_and_is_made_again_forgets_no_channel(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    web, tenant = await whole.channel("web", {}), whole.tenant

    async def away(*_: object) -> None:
        raise Unavailable("the database is away")

    with monkeypatch.context() as broken:
        broken.setattr("chatbot.ops.decommission.repository.destroy_secrets", away)
        await whole.ask("DELETE", f"/admin/tenants/{tenant.id}", status=503)
    receipt = await whole.ask("DELETE", f"/admin/tenants/{tenant.id}")
    assert web["id"] in receipt["channels"]
    assert hash_secret(web["secret"]) in {secret["sha256"] for secret in receipt["secrets"]}
    await whole.ask("POST", f"/admin/tenants/{tenant.id}/restore")
    channels = (await whole.ask("GET", f"/admin/channels?tenant_id={tenant.id}"))["items"]
    assert web["id"] in [channel["id"] for channel in channels]


def _tables(database_url: str, text: str) -> set[str]:
    return {place.partition(".")[0] for place in found_in_tables(database_url, text)}


async def test_after_the_window_its_data_is_purged(
    whole: Whole, database_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatbot.ops.decommission.repository._ROWS_AT_ONCE", 2)
    doors, tenant = Doors(whole), whole.tenant
    await doors.build()
    await doors.walk()
    receipt = await whole.ask("DELETE", f"/admin/tenants/{tenant.id}")
    daily = daily_retention(whole.runtime, Keeper(whole.runtime.database))
    await daily.catch_up(utcnow() + timedelta(days=29))
    assert found_in_tables(database_url)
    await daily.catch_up(utcnow() + timedelta(days=31))
    assert found_in_tables(database_url) == []
    async with asyncio.timeout(90):  # a job that runs at this moment finds no tenant, and goes
        while "procrastinate_jobs" in (left := _tables(database_url, str(tenant.id))):  # noqa: ASYNC110 - rows of another process
            await asyncio.sleep(0.2)
    assert left == {"tenants", "decommissions", "audit_events", "audit_heads"}
    assert found_in_files(settings.data_dir / "uploads", CANARY) == []
    assert await whole.runtime.blobs.get(receipt["archive"]["key"])
    assert (await whole.ask("GET", "/admin/decommissions?limit=1"))["items"][0]["purged_at"]


async def test_who_may_do_it(client: httpx.AsyncClient, database: Any, tenant: TenantRows) -> None:
    other = await make_tenant(database)
    for role, whose, status in (
        (Role.TENANT_ADMIN, tenant, 403),
        (Role.TENANT_ADMIN, other, 404),
        (Role.AGENT, tenant, 403),
    ):
        answer = await client.delete(f"/admin/tenants/{tenant.id}", headers=bearer(role, whose.id))
        assert answer.status_code == status
    assert (await client.delete(f"/admin/tenants/{new_id()}", headers=bearer())).status_code == 404
    assert (await client.post(f"/admin/tenants/{tenant.id}/restore", headers=bearer())).status_code == 404


async def test_what_was_deleted_is_listed_and_a_channel_comes_back(whole: Whole) -> None:
    tenant = whole.tenant
    channel = await whole.channel("webhook", {"webhook_url": "http://127.0.0.1:9/"})
    person = await make_person(whole.runtime.database, {tenant.id: "agent"}, name="Gone")
    await whole.ask("DELETE", f"/admin/channels/{channel['id']}", status=204)
    await whole.ask("DELETE", f"/admin/users/{person.id}", status=204)
    listed = await whole.ask("GET", f"/admin/deleted?tenant_id={tenant.id}")
    assert {(each["kind"], each["id"]) for each in listed["items"]} == {
        ("channel", channel["id"]),
        ("user", str(person.id)),
    }
    first = await whole.ask("GET", f"/admin/deleted?tenant_id={tenant.id}&limit=1")
    rest = await whole.ask("GET", f"/admin/deleted?tenant_id={tenant.id}&cursor={first['next_cursor']}")
    assert first["items"] + rest["items"] == listed["items"]

    said = {"session_id": "s", "message_id": "m", "text": REFUND}
    assert (await whole.tell(channel, said)).status == 404
    back = await whole.ask("POST", f"/admin/channels/{channel['id']}/restore")
    assert back["enabled"] is False
    await whole.ask("PATCH", f"/admin/channels/{channel['id']}", {"enabled": True})
    assert (await whole.tell(channel, said)).status == 200  # the secret of before counts again
    await whole.ask("POST", f"/admin/channels/{channel['id']}/restore", status=404)
    await whole.ask("POST", f"/admin/users/{person.id}/restore")
    assert (await whole.ask("GET", f"/admin/deleted?tenant_id={tenant.id}"))["items"] == []


async def test_rules_and_webhooks_come_back_paused(whole: Whole) -> None:
    tenant = str(whole.tenant.id)
    trigger = {"type": "event", "name": "message.received"}
    rule = {"tenant_id": tenant, "name": "Closes", "trigger": trigger, "actions": [{"type": "close"}]}
    webhook = {"tenant_id": tenant, "url": "https://example.com/", "events": ["message.received"]}
    for kind, path, body in (("rule", "/admin/automation/rules", rule), ("webhook", "/admin/webhooks", webhook)):
        made = await whole.ask("POST", path, body, status=201)
        await whole.ask("DELETE", f"{path}/{made['id']}", status=204)
        (gone,) = (await whole.ask("GET", f"/admin/deleted?tenant_id={tenant}"))["items"]
        assert (gone["kind"], gone["id"], gone["name"]) == (kind, made["id"], body.get("name", body.get("url")))
        restore, agent = f"{path}/{made['id']}/restore", bearer(Role.AGENT, whole.tenant.id)
        async with whole.api.post(restore, headers=agent) as refused:
            assert refused.status == 403
        back = await whole.ask("POST", restore)
        assert back["state"] == "paused"
        assert (await whole.ask("GET", f"{path}/{made['id']}"))["state"] == "paused"
        await whole.ask("POST", restore, status=404)


async def test_who_sees_what_was_deleted(client: httpx.AsyncClient, tenant: TenantRows) -> None:
    path = f"/admin/deleted?tenant_id={tenant.id}"
    assert (await client.get(path, headers=bearer(Role.AGENT, tenant.id))).status_code == 403
    assert (await client.get("/admin/deleted", headers=bearer(Role.TENANT_ADMIN, tenant.id))).status_code == 403
    assert (await client.get(path, headers=bearer(Role.TENANT_ADMIN, tenant.id))).status_code == 200
    assert (await client.get("/admin/deleted", headers=bearer())).status_code == 200
