"""Fixtures of every suite: the bundled PostgreSQL, a fresh database a test module, shared question sets."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import httpx
import psycopg
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chatbot.apps.orchestrator import create_app, orchestrating
from chatbot.apps.runtime import Runtime, open_runtime
from chatbot.apps.serving import bind, serve
from chatbot.core.ids import new_id
from chatbot.core.limits import LocalLimits, SharedLimits
from chatbot.core.settings import Settings
from chatbot.db.bootstrap import create_bundled_database, prepare_database
from chatbot.db.models import Brand, Channel, Tenant
from chatbot.db.roles import conninfo, owner_url
from chatbot.db.server import BundledPostgres
from chatbot.db.sessions import Database
from chatbot.identity.bootstrap import ensure_first_rows
from chatbot.identity.subject import Role
from chatbot.identity.tokens import TokenKeys, issue_admin_token
from tests.redis_server import RedisServer

# How long an example takes says how busy the machine is; and a run that found something must find it again.
hypothesis_settings.register_profile(
    "xin", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("xin")

SHARED = Path(os.environ.get("XIN_TEST_SHARED_DIR") or Path(__file__).parents[2] / "shared")


_SUITES = {"unit", "integration", "contract"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test by the folder of its suite: `pytest -m unit` runs those of `tests/unit`."""
    for item in items:
        suite = item.path.relative_to(Path(__file__).parent).parts[0]
        if suite in _SUITES:
            item.add_marker(suite)


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of judged question sets and recorded payloads; tests that need it skip by name without it."""
    if not (SHARED / "quality").is_dir():
        pytest.skip("needs the folder `shared/` beside the checkout (question sets, recorded payloads)")
    return SHARED


@pytest.fixture(scope="session")
def postgres() -> Iterator[BundledPostgres]:
    """The bundled PostgreSQL, one for the whole run of this process."""
    with tempfile.TemporaryDirectory(prefix="xin-test-", ignore_cleanup_errors=True) as folder:
        server = BundledPostgres(Path(folder))
        server.start()
        create_bundled_database(server.url)
        prepare_database(server.url)
        yield server
        server.stop()


@pytest.fixture(scope="module")
def database_url(postgres: BundledPostgres) -> Iterator[str]:
    """A database of its own for each test module, copied from the migrated one in 50 ms."""
    name = f"test_{new_id().hex}"
    owner = owner_url(postgres.url)
    admin = conninfo(owner.set(database="postgres"))
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE xin").format(sql.Identifier(name)))
    yield conninfo(owner.set(database=name))
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The application's sessions on the module's database."""
    async with Database(database_url, pool_size=4) as opened:
        yield opened


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder for a server of its own.

    Not `tmp_path`: under root the server runs as another user, and each pytest process takes the right to pass
    through from pytest's own folder again.
    """
    with tempfile.TemporaryDirectory(prefix="xin-data-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def redis(data_dir: Path) -> Iterator[RedisServer]:
    """A Redis server of the test's own."""
    with RedisServer(data_dir) as server:
        yield server


class TenantRows:
    """A tenant with its default brand and web channel, as tests need it."""

    def __init__(self, tenant_id: UUID, brand_id: UUID, channel_id: UUID) -> None:
        self.id = tenant_id
        self.brand_id = brand_id
        self.channel_id = channel_id


async def make_tenant(database: Database, name: str = "Acme") -> TenantRows:
    """Insert a tenant with a brand and a channel."""
    tenant, brand, channel = new_id(), new_id(), new_id()
    async with database.platform() as session:
        session.add(Tenant(id=tenant, name=name, default_brand_id=brand, timezone="UTC", attributes={}, embed_theme={}))
        await session.flush()
        session.add(Brand(tenant_id=tenant, id=brand, name=name))
        await session.flush()
        session.add(Channel(tenant_id=tenant, id=channel, brand_id=brand, channel_type="web", display_name="Web"))
    return TenantRows(tenant, brand, channel)


@pytest.fixture
async def tenant(database: Database) -> TenantRows:
    """A tenant of its own for each test."""
    return await make_tenant(database)


@pytest.fixture
async def other_tenant(database: Database) -> TenantRows:
    """A second tenant, that must never see the first's."""
    return await make_tenant(database, "Other")


TEST_KEYS = TokenKeys(admin="a" * 32, embed="e" * 32)


GATEWAY_TOKEN = "gateway-token-of-the-tests-0123456789"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a development platform below a folder of the test's own."""
    return Settings(
        xin_data_dir=tmp_path,
        admin_jwt_secret=SecretStr(TEST_KEYS.admin),
        embed_jwt_secret=SecretStr(TEST_KEYS.embed),
        gateway_token=SecretStr(GATEWAY_TOKEN),
    )


@pytest.fixture
async def runtime(database_url: str, settings: Settings) -> AsyncIterator[Runtime]:
    """The parts of a process on the module's database, with settings of their own."""
    async with open_runtime(settings, database_url, TEST_KEYS) as opened:
        yield opened


@pytest.fixture
async def api(runtime: Runtime) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the orchestrator, served by real uvicorn on a free port; paths are relative."""
    await ensure_first_rows(runtime.database, runtime.settings)
    listener = bind("127.0.0.1", 0, variable="ORCHESTRATOR_PORT")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with orchestrating(runtime) as app, serve(app, listener), aiohttp.ClientSession(url) as client:
        yield client


@pytest.fixture
def app(runtime: Runtime) -> FastAPI:
    """The orchestrator's application; its database has no first rows."""
    return create_app(runtime)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that calls `app` without a socket."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://xin.test") as opened:
        yield opened


def bearer(role: Role = Role.PLATFORM_ADMIN, tenant_id: UUID | None = None) -> dict[str, str]:
    """The headers of an admin with a role."""
    claims = {"role": role.value, "tenant_id": str(tenant_id) if tenant_id else None}
    return {"Authorization": f"Bearer {issue_admin_token(TEST_KEYS, subject='cli', claims=claims)}"}


_BRIEF = {
    "chatbot.core.limits._HASTY_SECONDS": 30.0,
    "chatbot.core.redis_client._SOCKET_SECONDS": 30.0,
    "chatbot.core.redis_link._PING_SECONDS": 30.0,
    "chatbot.db.leader._PATIENCE": 30.0,
    "chatbot.dialogue.hot_sessions._WRITE_SECONDS": 30.0,
    "chatbot.knowledge.index.qdrant._ANSWER_SECONDS": 30.0,
    "chatbot.knowledge.retrieval.service.EMBED_SECONDS": 60.0,
    "chatbot.ops.health._CHECK_SECONDS": 30.0,
}
"""What the platform waits for a moment only, before it goes on without."""


@pytest.fixture(scope="session", autouse=True)
def _a_busy_machine_is_no_dead_peer() -> Iterator[None]:
    """Wait longer for peers that answer. Tests of those that do not set their own limit."""
    with pytest.MonkeyPatch.context() as patched:
        for name, seconds in _BRIEF.items():
            patched.setattr(name, seconds)
        patched.setattr(SharedLimits.__init__, "__defaults__", (30.0,))
        patched.setattr("chatbot.db.pool.create_async_engine", _patient_engine)
        yield


def _patient_engine(url: Any, **options: Any) -> AsyncEngine:
    return create_async_engine(url, **{**options, "pool_timeout": 60})


@pytest.fixture
def _no_refill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time pass for the rate limits of one process: on a busy machine they fill again while they are emptied."""
    monkeypatch.setattr(LocalLimits.__init__, "__defaults__", (lambda: 0.0,))


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> None:
    """Settings of the developer's shell must not leak into tests, nor what tests are told into processes they start.

    Those refuse each `XIN_…` that is no setting of theirs; test modules have read them when they were collected.
    """
    told = [name for name in os.environ if name.startswith("XIN_TEST_")]
    for name in ("DATABASE_URL", "OPENAI_API_KEY", "REDIS_URL", "QDRANT_URL", "ENVIRONMENT", *told):
        os.environ.pop(name, None)


__all__ = ["GATEWAY_TOKEN", "TEST_KEYS", "TenantRows", "bearer", "make_tenant"]
