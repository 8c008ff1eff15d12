"""Secrets that pass through are looked for where they must not be: rows (audit too), the log, figures, what is read."""

import json
import logging
from collections.abc import Iterator

import aiohttp
import psycopg
import pytest
from psycopg import sql

from chatbot.core.log_tail import log_tail
from chatbot.core.logging import configure_logging
from chatbot.core.settings import Settings
from chatbot.db.roles import conninfo, owner_url
from tests.conftest import TEST_KEYS, TenantRows, bearer

BOT_TOKEN = "4242424242:AAE-canary-of-a-bots-token-0123456789"
PASSWORD = "canary of a password, long enough 7"


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    before = logging.getLogger().handlers[:]
    configure_logging("DEBUG", process="test")
    yield
    logging.getLogger().handlers[:] = before


async def test_no_secret_is_left_in_plain_text(
    api: aiohttp.ClientSession, tenant: TenantRows, database_url: str, settings: Settings
) -> None:
    secrets = [BOT_TOKEN, PASSWORD, TEST_KEYS.admin, TEST_KEYS.embed]
    own = {"tenant_id": str(tenant.id)}
    secrets.append(await _made(api, "/admin/api_keys", {**own, "name": "Program", "role": "agent"}, "key"))
    channel = {**own, "brand_name": "Acme", "display_name": "Bot", "channel_type": "telegram",
               "credentials": {"bot_token": BOT_TOKEN}}  # fmt: skip
    secrets.append(await _made(api, "/admin/channels", channel, "secret"))
    secrets.append(await _made(api, f"/admin/tenants/{tenant.id}/embed_token", {}, "token"))
    async with api.post("/auth/login", json={"email": "a@example.com", "password": PASSWORD}) as answer:
        assert answer.status == 401
    headers = {"Authorization": f"Bearer {secrets[4]}", "X-Tenant-Id": str(tenant.id)}
    async with api.get("/admin/channels", params=own, headers=headers) as answer:
        seen = await answer.text()
    async with api.get("/metrics") as answer:
        figures = await answer.text()
    with log_tail.follow(1000) as follower:
        lines = json.dumps(await follower.take())
    places = {"the log": lines, "figures": figures, "what is read back": seen, "rows": _rows(database_url)}
    for secret in secrets:
        for place, text in places.items():
            assert secret not in text, place


def _rows(database_url: str) -> str:
    """Every row of every table, as text."""
    with psycopg.connect(conninfo(owner_url(database_url))) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [str(row[0]) for row in names.fetchall()]
        found = [
            str(row[0])
            for table in tables
            for row in connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table)))
        ]
    return "\n".join(found)


async def _made(api: aiohttp.ClientSession, path: str, body: dict[str, object], name: str) -> str:
    async with api.post(path, json=body, headers=bearer()) as answer:
        assert answer.status in (200, 201), await answer.text()
        return str((await answer.json())[name])
