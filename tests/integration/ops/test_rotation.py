"""Every kind of secret gets a successor by a command; the old one holds as long as promised; each leaves a row."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from chatbot.apps.runtime import Runtime
from chatbot.automation.running.secrets import signing_secret
from chatbot.automation.webhooks.schemas import CreateWebhook
from chatbot.automation.webhooks.service import create as create_webhook
from chatbot.channels.repository import valid_secrets
from chatbot.core import crypto
from chatbot.core.clock import utcnow
from chatbot.core.crypto import Vault, random_key
from chatbot.core.errors import Conflict, Unauthenticated
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.db.models import ApiKey, ChannelSecret, User
from chatbot.db.roles import conninfo, owner_url
from chatbot.db.sessions import Database
from chatbot.identity.access.service import API_KEY_PREFIX
from chatbot.identity.audit import repository as audit
from chatbot.identity.audit.chain import PLATFORM
from chatbot.identity.audit.repository import Sought
from chatbot.identity.keys import load_keys, load_vault, rotate_kept
from chatbot.identity.previous_keys import until_first_seen
from chatbot.identity.subject import Role, Subject
from chatbot.identity.tokens import (
    TokenKeys,
    issue_admin_token,
    issue_embed_token,
    issue_service_token,
    read_admin_token,
    read_embed_token,
    read_service_token,
)
from chatbot.ops.rotation.repository import SEALED
from chatbot.ops.rotation.service import count_sealed, reseal, sealed_by_key
from tests.conftest import TenantRows
from tests.started import ROOT

OLD, NEW = random_key(), random_key()


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(conninfo(owner_url(database_url)), autocommit=True) as opened:
        yield opened


async def _sealed_rows(database: Database, vault: Vault, tenant: TenantRows, count: int) -> None:
    async with database.tenant(tenant.id) as session:
        for number in range(count):
            row = new_id()
            sealed = vault.seal(tenant.id, row, f"secret {number}")
            session.add(
                ChannelSecret(
                    tenant_id=tenant.id, id=row, channel_id=tenant.channel_id, purpose="secret", sealed=sealed,
                    key_id=vault.key_id,
                )
            )  # fmt: skip
    async with database.platform() as session:
        user = User(id=new_id(), email=f"{new_id().hex}@example.com", name="A", totp_key_id=vault.key_id)
        user.totp_sealed = vault.seal(PLATFORM, user.id, "totp")
        session.add(user)


async def test_everything_sealed_gets_a_new_seal_and_the_old_key_ends_at_zero_rows(
    database: Database, tenant: TenantRows, settings: Settings
) -> None:
    await _sealed_rows(database, Vault([OLD]), tenant, 230)
    lost = Vault([random_key()])
    await _sealed_rows(database, lost, tenant, 1)
    both = Vault([NEW, OLD])
    done = await reseal(database, both, "cli")
    assert (done.resealed, done.unreadable) == (231, 2)
    assert done.of(Vault([OLD]).key_id) == 0
    assert await sealed_by_key(database) == {both.key_id: 231, lost.key_id: 2}
    alone = settings.model_copy(update={"xin_encryption_keys": SecretStr(NEW)})
    assert await count_sealed(database, alone) == (231, 2)
    assert (await reseal(database, both, "cli")).resealed == 0


async def test_the_list_of_what_is_sealed_is_the_databases(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    found = connection.execute(
        "SELECT table_name || '.' || column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type = 'bytea' AND column_name LIKE '%sealed%'"
    ).fetchall()
    assert {column.name for column in SEALED} == {row[0] for row in found}


def test_what_the_key_before_signed_holds_for_a_quarter_of_an_hour() -> None:
    before = TokenKeys(admin="a" * 32, embed="b" * 32)
    signed = (
        (issue_admin_token(before, subject="cli", claims={}), read_admin_token),
        (
            issue_embed_token(before, tenant_id=new_id(), brand_id=new_id(), visitor={}, origin=None)[0],
            read_embed_token,
        ),
        (issue_service_token(before, subject="gateway", tenant_id=new_id()), read_service_token),
    )
    for until, holds in ((utcnow() + timedelta(minutes=1), True), (utcnow() - timedelta(seconds=1), False)):
        now = TokenKeys("c" * 32, "d" * 32, before.admin, before.embed, until)
        for token, read in signed:
            if holds:
                assert read(now, token)["sub"]
            else:
                with pytest.raises(Unauthenticated):
                    read(now, token)


async def test_no_restart_lengthens_the_time_of_a_previous_key(runtime: Runtime) -> None:
    first = TokenKeys("c" * 32, "d" * 32, admin_previous="a-previous-key-of-this-test-" + new_id().hex)
    started = await asyncio.gather(*(until_first_seen(runtime.database, first) for _ in range(4)))
    until = started[0].previous_until
    assert until is not None
    assert abs(until - utcnow() - timedelta(minutes=15)) < timedelta(minutes=5)
    assert {keys.previous_until for keys in started} == {until}
    again = await until_first_seen(runtime.database, replace(first, previous_until=utcnow() + timedelta(hours=1)))
    assert again.previous_until == until
    both = await until_first_seen(runtime.database, replace(first, embed_previous="an-embed-key-" + new_id().hex))
    assert both.embed_previous_until is not None
    assert (both.previous_until, both.embed_previous_until > until) == (until, True)
    async with runtime.database.platform() as session:
        found = await audit.page(session, PLATFORM, Sought(action="retire_signing_key"), before=None, limit=50)
    noted = [stored.link.target for stored in found]
    assert len(noted) == len(set(noted)) >= 2
    assert not any(first.admin_previous in target for target in noted if first.admin_previous)
    assert await until_first_seen(runtime.database, TokenKeys("c" * 32, "d" * 32)) == TokenKeys("c" * 32, "d" * 32)


def test_each_previous_key_has_its_own_end() -> None:
    before = TokenKeys("a" * 32, "b" * 32)
    admin = issue_admin_token(before, subject="cli", claims={})
    embed, _ = issue_embed_token(before, tenant_id=new_id(), brand_id=new_id(), visitor={}, origin=None)
    over, lasting = utcnow() - timedelta(seconds=1), utcnow() + timedelta(minutes=10)
    now = TokenKeys("c" * 32, "d" * 32, before.admin, before.embed, over, lasting)
    assert read_embed_token(now, embed)["sub"]
    with pytest.raises(Unauthenticated):
        read_admin_token(now, admin)
    now = replace(now, previous_until=lasting, embed_previous_until=over)
    assert read_admin_token(now, admin)["sub"]
    with pytest.raises(Unauthenticated):
        read_embed_token(now, embed)


def test_generated_keys_change_places(tmp_path: Path) -> None:
    settings = Settings(xin_data_dir=tmp_path)
    first = load_keys(settings)
    for name in ("admin_jwt_secret", "embed_jwt_secret"):
        assert rotate_kept(settings, name)
    second = load_keys(settings)
    assert (second.admin_previous, second.embed_previous) == (first.admin, first.embed)
    assert len({first.admin, first.embed, second.admin, second.embed}) == 4
    with pytest.raises(Conflict, match="ADMIN_JWT_SECRET was rotated a moment ago"):
        rotate_kept(settings, "admin_jwt_secret")
    assert load_keys(settings).admin_previous == first.admin, "processes may sign with it until their restart"
    later = load_keys(settings, overlap=timedelta(0))
    assert (later.admin_previous, later.embed_previous) == (None, None)
    configured = settings.model_copy(update={"admin_jwt_secret": SecretStr("x" * 32)})
    assert not rotate_kept(configured, "admin_jwt_secret")
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0


class _Cli:
    """`xin rotate` on the module's database."""

    def __init__(self, database_url: str, data_dir: Path) -> None:
        self._environment = {**os.environ, "DATABASE_URL": database_url, "XIN_DATA_DIR": str(data_dir)}

    def __call__(self, *arguments: str, **more: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "chatbot", "rotate", *arguments], cwd=ROOT, text=True, capture_output=True,
            env={**self._environment, **more}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


def _audited(connection: psycopg.Connection[tuple[object, ...]], action: str) -> int:
    query = sql.SQL("SELECT count(*) FROM audit_events WHERE action = %s AND actor = 'cli' AND outcome = 'ok'")
    row = connection.execute(query, (action,)).fetchone()
    assert row
    return int(str(row[0]))


@pytest.mark.timeout(900)  # a process for each of twelve commands
async def test_each_command_rotates_and_is_audited(
    database: Database,
    database_url: str,
    tenant: TenantRows,
    tmp_path: Path,
    connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    connection.execute("DELETE FROM channel_secrets")
    connection.execute("UPDATE users SET totp_sealed = NULL, totp_key_id = NULL")
    rotate = _Cli(database_url, tmp_path)
    settings = Settings(xin_data_dir=tmp_path)
    vault, keys = load_vault(settings), load_keys(settings)
    await _sealed_rows(database, vault, tenant, 1)
    key_id, key = await _api_key(database, tenant)

    new_key = rotate("api-key", str(key_id)).strip()
    assert new_key.startswith(API_KEY_PREFIX)
    assert new_key != key
    async with database.tenant(tenant.id) as session:
        old = await session.get(ApiKey, (tenant.id, key_id))
        assert old
        assert old.expires_at
        assert timedelta(minutes=13) < old.expires_at - utcnow() < timedelta(minutes=15)

    secret = rotate("channel-secret", str(tenant.channel_id)).strip()
    async with database.tenant(tenant.id) as session:
        rows = await valid_secrets(session, [tenant.channel_id])
        plain = {vault.open(row.tenant_id, row.id, row.sealed): row.expires_at for row in rows}
    assert plain[secret] is None
    assert plain["secret 0"] is not None

    rotate("admin-key")
    rotate("embed-key")
    after = load_keys(settings)
    assert (after.admin_previous, after.embed_previous) == (keys.admin, keys.embed)
    assert "ADMIN_JWT_SECRET=" in rotate("admin-key", ADMIN_JWT_SECRET="x" * 32)
    assert len(rotate("encryption-key", XIN_ENCRYPTION_KEYS=random_key()).strip()) == len(random_key())
    assert "GATEWAY_WEBHOOK_SECRET=" in rotate("webhook-secret")

    webhook_id, signing = await _webhook(database, tenant, vault)
    assert rotate("webhook-secret", str(webhook_id)).strip().startswith("whsec_")
    async with database.tenant(tenant.id) as session:
        assert await signing_secret(session, vault, webhook_id) != signing

    rotate("encryption-key")
    both = load_vault(settings)
    assert both.key_ids[1:] == vault.key_ids
    assert "retire it" in rotate("encryption-key")
    assert f"{both.key_id}  newest" in rotate("status")
    rotate("encryption-key", "--retire")
    assert load_vault(settings).key_ids == [both.key_id]
    assert (await count_sealed(database, settings))[1] == 0

    for action, count in (
        ("rotate_api_key", 1), ("rotate_channel_secret", 1), ("rotate_admin_jwt_secret", 2),
        ("rotate_embed_jwt_secret", 1), ("rotate_webhook_secret", 2), ("add_encryption_key", 2),
        ("retire_encryption_keys", 1),
    ):  # fmt: skip
        assert _audited(connection, action) == count, action


async def _webhook(database: Database, tenant: TenantRows, vault: Vault) -> tuple[UUID, str]:
    wanted = CreateWebhook.model_validate(
        {"tenant_id": str(tenant.id), "url": "https://example.com/hook", "events": ["message.received"]}
    )
    async with database.tenant(tenant.id) as session:
        row, secret = await create_webhook(session, Subject("cli", Role.PLATFORM_ADMIN), wanted, vault)
        return row.id, secret


async def _api_key(database: Database, tenant: TenantRows) -> tuple[UUID, str]:
    key = crypto.random_secret(API_KEY_PREFIX)
    row = ApiKey(
        tenant_id=tenant.id, id=new_id(), name="Program", role="agent", key_hash=crypto.hash_secret(key), hint="xin"
    )
    async with database.tenant(tenant.id) as session:
        session.add(row)
    return row.id, key
