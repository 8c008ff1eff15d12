"""A secret that is shown masked is sent to nobody who does not know it."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from chatbot.apps.channel_parts import channels_alone
from chatbot.apps.runtime import Runtime
from chatbot.channels.registry import PROVIDERS
from chatbot.channels.schemas import CreateChannel
from chatbot.channels.service import ChannelService
from chatbot.core.errors import InvalidInput
from chatbot.core.settings import Settings
from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer

EMAIL = {
    "address": "care@acme.test", "imap_host": "imap.acme.test", "imap_password": "the mailbox's own password",
    "smtp_host": "smtp.acme.test", "smtp_password": "the relay's own password",
}  # fmt: skip
TOKEN = "123456:a-token-that-nobody-is-shown"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Addresses of the tests are taken as they are."""
    return settings.model_copy(update={"xin_fetch_allow_hosts": ["127.0.0.1"]})


async def _made(client: httpx.AsyncClient, tenant: TenantRows, channel_type: str, given: dict[str, Any]) -> Any:
    body = {"tenant_id": str(tenant.id), "channel_type": channel_type, "display_name": "C", "credentials": given}
    made = await client.post("/admin/channels", json=body, headers=bearer(Role.TENANT_ADMIN, tenant.id))
    assert made.status_code == 201, made.text
    return made.json()


@pytest.mark.parametrize(
    ("channel_type", "given", "changed", "lost"),
    [
        ("telegram", {"bot_token": TOKEN}, {"api_url": "http://127.0.0.1:1"}, ["bot_token"]),
        ("email", EMAIL, {"imap_host": "127.0.0.1"}, ["imap_password"]),
        ("email", EMAIL, {"imap_port": 1993}, ["imap_password"]),
        ("email", EMAIL, {"smtp_host": "127.0.0.1", "smtp_port": 25}, ["smtp_password"]),
        ("email", EMAIL, {"smtp_security": "none"}, ["smtp_password"]),
        ("email", {**EMAIL, "inbound": "resend", "api_key": "re_" + "k" * 30}, {"api_url": "http://127.0.0.1:1"},
         ["api_key"]),
        ("line", {"channel_secret": "s" * 30, "channel_access_token": "t" * 30}, {"data_url": "http://127.0.0.1:1"},
         ["channel_access_token"]),
    ],
)  # fmt: skip
async def test_another_place_needs_the_secret_itself(
    channel_type: str,
    given: dict[str, Any],
    changed: dict[str, Any],
    lost: list[str],
    runtime: Runtime,
    client: httpx.AsyncClient,
    tenant: TenantRows,
) -> None:
    admin = bearer(Role.TENANT_ADMIN, tenant.id)
    made = await _made(client, tenant, channel_type, given)
    path = f"/admin/channels/{made['id']}"
    sealed = await _sealed(runtime, tenant)
    for ask in (client.patch(path, json={"credentials": {**made["credentials"], **changed}}, headers=admin),
                client.post(f"{path}/rotate_secret", json={"credentials": {**made["credentials"], **changed}},
                            headers=admin)):  # fmt: skip
        refused = await ask
        assert (refused.status_code, refused.json()["code"]) == (422, "secret_needed"), refused.text
        assert [each["field"] for each in refused.json()["errors"]] == [f"credentials.{name}" for name in lost]
        assert all(name in refused.json()["errors"][0]["message"] for name in changed)
    assert await _sealed(runtime, tenant) == sealed
    # Whoever knows it, may; and whatever goes nowhere else is kept by its mask.
    known = {name: given[name] for name in lost}
    taken = await client.patch(path, json={"credentials": {**made["credentials"], **changed, **known}}, headers=admin)
    assert taken.status_code == 200, taken.text
    named = await client.patch(path, json={"credentials": taken.json()["credentials"]}, headers=admin)
    assert named.status_code == 200, named.text


async def test_what_is_only_checked_stays_when_a_place_changes(client: httpx.AsyncClient, tenant: TenantRows) -> None:
    """The channel of LINE keeps `channel_secret` above; every secret is either sent somewhere, or known to be not."""
    for name, provider in PROVIDERS.items():
        fields = provider.credentials.model_fields
        for secret in (each for each, field in fields.items() if "Secret" in str(field.annotation)):
            way = provider.credentials.way_of(secret)
            assert set(way) <= set(fields), (name, secret)
            only_checked = secret in provider.credentials.only_checked or secret in (
                "signing_key", "signing_secret", "webhook_password"
            )  # fmt: skip
            assert bool(way) is not only_checked, (name, secret)


@pytest.fixture
async def production(settings: Settings, database_url: str) -> AsyncIterator[ChannelService]:
    """The administration of channels as outside development."""
    served = settings.model_copy(update={"environment": "production"})
    async with channels_alone(served, database_url) as channels:
        yield channels


@pytest.mark.parametrize(
    ("url", "allowed"),
    [("http://api.example.com", False), ("https://api.example.com", True), ("http://127.0.0.1:8081", True)],
)
async def test_secrets_go_in_clear_to_hosts_of_the_operators_own_alone(
    url: str, allowed: bool, production: ChannelService, tenant: TenantRows
) -> None:
    wanted = CreateChannel(
        tenant_id=tenant.id, channel_type="telegram", display_name="T", credentials={"bot_token": TOKEN, "api_url": url}
    )  # fmt: skip
    if allowed:
        row, _ = await production.create(tenant.id, wanted)
        assert row.connected
        return
    with pytest.raises(InvalidInput, match="credentials.api_url: must begin with https://"):
        await production.create(tenant.id, wanted)


async def _sealed(runtime: Runtime, tenant: TenantRows) -> list[UUID]:
    async with runtime.database.tenant_reader(tenant.id) as session:
        return list((await session.execute(text("SELECT id FROM channel_secrets ORDER BY id"))).scalars())
