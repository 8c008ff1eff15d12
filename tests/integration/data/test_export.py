"""Exports: everything once, in order, in constant memory, to be gone on with; cells that no spreadsheet computes."""

import csv
import io
from pathlib import Path
from uuid import UUID

import httpx
import orjson
import psycopg
import pytest

from chatbot.apps.runtime import Runtime
from chatbot.cli.data import keep_whole_lines
from chatbot.core.ids import new_id
from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer
from tests.integration.data.canary import CANARY, plant


def _fill(database_url: str, tenant: TenantRows, count: int) -> None:
    conversation = new_id()
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO conversations (tenant_id, id, brand_id, channel_id, session_key) VALUES (%s, %s, %s, %s, 's')",
            (tenant.id, conversation, tenant.brand_id, tenant.channel_id),
        )
        owner.execute(
            "INSERT INTO messages (tenant_id, id, conversation_id, channel_id, seq, role, text) "
            "SELECT %s, gen_random_uuid(), %s, %s, n, 'visitor', '=HYPERLINK(' || n FROM generate_series(1, %s) n",
            (tenant.id, conversation, tenant.channel_id, count),
        )


async def test_all_come_once_and_a_cut_export_goes_on(
    database_url: str, client: httpx.AsyncClient, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    _fill(database_url, tenant, 1_234)
    _fill(database_url, other_tenant, 3)
    path = f"/admin/messages/export?tenant_id={tenant.id}"
    whole = await client.get(path, headers=bearer())
    assert whole.headers["content-type"] == "application/x-ndjson"
    rows = [orjson.loads(line) for line in whole.text.splitlines()]
    assert len({row["id"] for row in rows}) == 1_234
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    rest = await client.get(f"{path}&after={rows[899]['id']}", headers=bearer())
    assert rest.text.splitlines() == whole.text.splitlines()[900:]
    sheet = await client.get(f"{path}&format=csv", headers=bearer())
    cells = list(csv.DictReader(io.StringIO(sheet.text.removeprefix("\ufeff"))))
    assert len(cells) == 1_234
    assert {cell["text"][:6] for cell in cells} == {"'=HYPE"}
    later = await client.get(f"{path}&format=csv&after={rows[-2]['id']}", headers=bearer())
    assert later.text.startswith(rows[-1]["id"])


async def test_conversations_tickets_and_events(
    database_url: str, client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    planted = await plant(runtime.database, tenant)
    talks = (await client.get(f"/admin/conversations/export?tenant_id={tenant.id}", headers=bearer())).text
    talk = orjson.loads(talks)
    assert (talk["id"], talk["channel_type"], talk["visitor"]["name"]) == (str(planted.conversation), "web", CANARY)
    events = await client.get(f"/admin/event_log/export?tenant_id={tenant.id}&format=jsonl", headers=bearer())
    numbers = [orjson.loads(line)["id"] for line in events.text.splitlines()]
    assert len(numbers) == 3
    rest = await client.get(f"/admin/event_log/export?tenant_id={tenant.id}&after={numbers[0]}", headers=bearer())
    assert [orjson.loads(line)["id"] for line in rest.text.splitlines()] == numbers[1:]
    path = f"/api/tickets/export?tenant_id={tenant.id}&format=jsonl"
    tickets = (await client.get(path, headers=bearer())).text.splitlines()
    first = orjson.loads(tickets[0])["id"]
    assert (await client.get(f"{path}&after={first}", headers=bearer())).text.splitlines() == tickets[1:]
    none = f"/admin/messages/export?tenant_id={tenant.id}&since=2999-01-01T00:00:00Z"
    assert (await client.get(none, headers=bearer())).text == ""


@pytest.mark.parametrize("what", ["conversations", "messages", "event_log"])
async def test_who_may_export(
    what: str, client: httpx.AsyncClient, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    path = f"/admin/{what}/export?tenant_id={tenant.id}"
    assert (await client.get(path, headers=bearer(Role.AGENT, tenant.id))).status_code == 403
    assert (await client.get(path, headers=bearer(Role.TENANT_ADMIN, other_tenant.id))).status_code == 404
    assert (await client.get(path)).status_code == 401


def test_a_file_is_gone_on_with_behind_its_last_whole_line(tmp_path: Path) -> None:
    path, last = tmp_path / "messages.jsonl", UUID(int=7)
    path.write_bytes(b'{"id":"x"}\n' + f'{{"id":"{last}"}}\n'.encode() + b'{"id":"cut')
    assert keep_whole_lines(path) == str(last)
    assert path.read_bytes().endswith(b"\n")
    path.write_bytes(b'{"id":"cut')
    assert keep_whole_lines(path) is None
    assert path.read_bytes() == b""
