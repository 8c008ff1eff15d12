"""A platform with a worker inside, and a client that speaks to it as a tenant's administrator."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import orjson
import pytest
from sqlalchemy import text

from chatbot.apps.orchestrator import create_app
from chatbot.apps.runtime import Runtime, open_runtime
from chatbot.apps.serving import bind, serve
from chatbot.apps.workers import work
from chatbot.core.settings import Settings
from chatbot.identity.subject import Role
from chatbot.jobs.app import make_app
from chatbot.knowledge.ingestion.pipeline import Pace
from tests.conftest import TEST_KEYS, TenantRows, bearer, make_tenant

ENDED = {"completed", "failed", "cancelled"}


class Client:
    """The knowledge API of one tenant."""

    def __init__(self, http: aiohttp.ClientSession, runtime: Runtime, tenant: TenantRows) -> None:
        self.http = http
        self.runtime = runtime
        self.tenant = tenant
        self.headers = bearer(Role.TENANT_ADMIN, tenant.id)

    async def call(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """Make a call, hold its status to the expected one, return its JSON."""
        options.setdefault("headers", self.headers)
        if path.startswith("/admin/") and "upload" not in path:
            options["params"] = {"tenant_id": str(self.tenant.id), **options.get("params", {})}
        async with self.http.request(method, path, **options) as answer:
            body = await answer.read()
            assert answer.status == status, body.decode()
            return await answer.json(content_type=None) if body else None

    async def upload(self, name: str, body: bytes, status: int = 202, **fields: str) -> Any:
        """Upload a file as an administrator."""
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(body), filename=name, content_type="application/octet-stream")
        for field, value in {"tenant_id": str(self.tenant.id), "brand_id": "default", **fields}.items():
            form.add_field(field, value)
        return await self.call("POST", "/admin/knowledge_assets/upload", status, data=form)

    async def give(self, status: int = 202, **body: Any) -> Any:
        """Give knowledge as JSON to the tenant's default brand."""
        headers = {**self.headers, "Content-Type": "application/json"}
        data = io.BytesIO(orjson.dumps(body))
        return await self.call("POST", "/v1/brands/default/knowledge", status, data=data, headers=headers)

    async def job(self, job_id: str) -> Any:
        return await self.call("GET", f"/admin/ingestion_jobs/{job_id}")

    async def ended(self, job_id: str, within: float = 180) -> Any:
        """Wait until a job has ended."""
        return await self.until(job_id, lambda job: job["status"] in ENDED, within)

    async def until(self, job_id: str, true: Callable[[Any], bool], within: float = 180) -> Any:
        """Wait until something is true of a job."""
        deadline = time.monotonic() + within
        while not true(job := await self.job(job_id)):
            assert time.monotonic() < deadline, job
            await asyncio.sleep(0.05)
        return job

    async def source(self, source_id: str) -> Any:
        return await self.call("GET", f"/admin/knowledge_assets/{source_id}")

    async def passages(self, source_id: str) -> list[str]:
        """Return the texts of all live passages."""
        found: list[str] = []
        params: dict[str, str] = {"limit": "200"}
        while True:
            page = await self.call("GET", f"/admin/knowledge_assets/{source_id}/passages", params=params)
            found += [item["text"] for item in page["items"]]
            if page["next_cursor"] is None:
                return found
            params = {"limit": "200", "cursor": page["next_cursor"]}

    async def scalar(self, statement: str, **values: Any) -> Any:
        """Ask the database itself."""
        async with self.runtime.database.platform() as session:
            return (await session.execute(text(statement), values)).scalar_one()

    async def stored(self, source_id: str | UUID) -> int:
        """Count the passages of all versions of a source."""
        return int(await self.scalar("SELECT count(*) FROM passages WHERE source_id = :id", id=str(source_id)))


def settings_for(folder: Path, **changes: Any) -> Settings:
    """Settings of a platform without an embedder, that may fetch from this machine."""
    return Settings(**{"xin_data_dir": folder, "embedder": "none", "xin_fetch_allow_hosts": ["127.0.0.1"], **changes})


@asynccontextmanager
async def platform(database_url: str, settings: Settings) -> AsyncIterator[Client]:
    """Serve a platform without a worker to a new tenant."""
    listener = bind("127.0.0.1", 0, variable="ORCHESTRATOR_PORT")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with open_runtime(settings, database_url, TEST_KEYS) as runtime:
        connector = aiohttp.TCPConnector(keepalive_timeout=2)  # less than the server's: no race for a dying connection
        async with serve(create_app(runtime), listener), aiohttp.ClientSession(url, connector=connector) as http:
            yield Client(http, runtime, await make_tenant(runtime.database))


@asynccontextmanager
async def working(runtime: Runtime, pace: Pace | None = None) -> AsyncIterator[None]:
    """Work on the queue while the block runs, with a queue and a parser of its own."""
    jobs = make_app(runtime.database.url)
    async with jobs.open_async():
        task = asyncio.create_task(work(replace(runtime, jobs=jobs), pace))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task], timeout=90)
            assert task.done(), "the worker did not stop"


@pytest.fixture
async def idle(database_url: str, tmp_path: Path) -> AsyncIterator[Client]:
    """A platform on which nothing works on the queue."""
    async with platform(database_url, settings_for(tmp_path)) as client:
        yield client


@pytest.fixture
async def knowledge(idle: Client) -> AsyncIterator[Client]:
    """A platform with a worker."""
    async with working(idle.runtime):
        yield idle
