"""The first start, the keys that sign, and the token of `xin token`."""

import asyncio
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from chatbot.apps.runtime import Runtime
from chatbot.core.errors import InvalidInput
from chatbot.core.ids import new_id
from chatbot.core.settings import ConfigurationError, Settings
from chatbot.db.models import Brand, Channel, User
from chatbot.identity.bootstrap import ensure_first_rows
from chatbot.identity.cli_token import mint
from chatbot.identity.demo import DEMO_BRAND_ID, DEMO_CHANNEL_ID, DEMO_TENANT_ID
from chatbot.identity.keys import load_keys
from chatbot.identity.subject import Role
from tests.conftest import TenantRows


async def test_the_first_start_makes_an_admin_and_the_demo_tenant_once(
    client: httpx.AsyncClient, runtime: Runtime, settings: Settings
) -> None:
    starts = await asyncio.gather(*(ensure_first_rows(runtime.database, settings) for _ in range(4)))
    first = [start for start in starts if start]
    assert len(first) == 1
    assert await ensure_first_rows(runtime.database, settings) is None
    async with runtime.database.platform() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 1
    async with runtime.database.tenant_reader(DEMO_TENANT_ID) as session:
        assert await session.get(Brand, (DEMO_TENANT_ID, DEMO_BRAND_ID))
        assert await session.get(Channel, (DEMO_TENANT_ID, DEMO_CHANNEL_ID))
    body = {"email": first[0].email, "password": first[0].password}
    signed_in = await client.post("/auth/login", json=body)
    headers = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
    me = (await client.get("/auth/me", headers=headers)).json()
    assert (me["role"], me["user"]["email"]) == ("platform_admin", "admin@example.com")


def test_missing_secrets_are_made_once_for_all_processes(tmp_path: Path) -> None:
    settings = Settings(xin_data_dir=tmp_path / "new")
    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(lambda _: load_keys(settings), range(16)))
    assert len({(keys.admin, keys.embed) for keys in loaded}) == 1
    assert loaded[0].admin != loaded[0].embed
    assert min(len(loaded[0].admin), len(loaded[0].embed)) >= 32
    assert stat.S_IMODE((tmp_path / "new" / "secrets.json").stat().st_mode) == 0o600


def test_configured_secrets_leave_no_file(tmp_path: Path) -> None:
    settings = Settings(
        xin_data_dir=tmp_path, admin_jwt_secret=SecretStr("a" * 32), embed_jwt_secret=SecretStr("e" * 32),
        admin_jwt_secret_previous=SecretStr("p" * 32),
    )  # fmt: skip
    keys = load_keys(settings)
    assert (keys.admin, keys.embed, keys.admin_previous) == ("a" * 32, "e" * 32, "p" * 32)
    assert list(tmp_path.iterdir()) == []


def test_unusable_secrets_name_their_variable(tmp_path: Path) -> None:
    same = Settings(xin_data_dir=tmp_path, admin_jwt_secret=SecretStr("a" * 32), embed_jwt_secret=SecretStr("a" * 32))
    with pytest.raises(ConfigurationError, match="EMBED_JWT_SECRET"):
        load_keys(same)
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(ConfigurationError, match="XIN_DATA_DIR"):
        load_keys(Settings(xin_data_dir=tmp_path))


@pytest.mark.parametrize(("role", "status"), [(Role.PLATFORM_ADMIN, 200), (Role.VIEWER, 403)])
async def test_the_command_lines_token_is_accepted_as_signed(
    client: httpx.AsyncClient, settings: Settings, tenant: TenantRows, role: Role, status: int
) -> None:
    tenant_id = tenant.id
    token = mint(settings, role, tenant_id)
    path = f"/admin/tenants/{tenant_id}"
    answer = await client.patch(path, json={"name": "New"}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == status


def test_the_command_line_mints_nothing_half(settings: Settings) -> None:
    with pytest.raises(InvalidInput, match="tenant_id"):
        mint(settings, Role.AGENT)
    with pytest.raises(InvalidInput, match="role"):
        mint(settings, Role.VISITOR, new_id())
