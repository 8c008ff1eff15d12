"""Processes that run apart, and what the alerts make of their machine: nothing that is not so."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from psycopg import sql

from chatbot.db.roles import conninfo, owner_url
from tests.observability.tools import ROOT
from tests.ports import free_port

_PORTS = {
    "gateway": "GATEWAY_METRICS_PORT",
    "ingestion-worker": "INGEST_METRICS_PORT",
    "automation-worker": "AUTOMATION_METRICS_PORT",
    "bot-manager": "BOT_MANAGER_METRICS_PORT",
}
_MACHINE = ("disk_free_ratio", "disk_free_inodes_ratio", "memory_used_ratio")


@pytest.mark.parametrize("process", _PORTS)
async def test_each_tells_of_its_own_disk_and_memory_from_its_first_figures_on(
    process: str, database_url: str, data_dir: Path
) -> None:
    async with _running(process, database_url, data_dir) as url:
        figures = await _first_figures(f"{url}/metrics")
    shown = {one.name: one.samples[0].value for one in text_string_to_metric_families(figures) if one.name in _MACHINE}
    assert set(shown) == set(_MACHINE)
    assert all(0 < value <= 1 for value in shown.values()), shown


_WITHOUT = {
    "gateway": {"database": "ok", "storage": "ok"},
    "ingestion-worker": {"database": "ok", "queue": "ok", "storage": "ok"},
    "automation-worker": {"database": "ok", "queue": "ok"},
    "bot-manager": {"database": "ok", "leases": "ok"},
}


@pytest.mark.parametrize("process", _PORTS)
async def test_each_tells_how_it_is_and_which_dependency_is_away(
    process: str, database_url: str, data_dir: Path
) -> None:
    async with _running(process, database_url, data_dir) as url, aiohttp.ClientSession() as http:
        assert await _until(http, f"{url}/health", 200) == {"status": "ok", "dependencies": _WITHOUT[process]}
        assert await _until(http, f"{url}/health/ready", 200)
        async with http.get(f"{url}/metrics") as answer:
            assert 'http_requests_total{method="GET",route="/health",status_code="2xx"}' in await answer.text()
        async with http.get(f"{url}/anything") as answer:
            assert answer.status == 404, "figures under every path would be health of everything"
        with _database_away(database_url):
            for path in ("/health", "/health/ready"):
                found = await _until(http, url + path, 503)
                assert found["status"] == "failing"
                assert found["dependencies"]["database"] != "ok"
            assert await _until(http, f"{url}/health/live", 200) == {"status": "ok"}, "no reason to restart it"
        assert (await _until(http, f"{url}/health", 200))["dependencies"] == _WITHOUT[process], "it goes on by itself"


@asynccontextmanager
async def _running(process: str, database_url: str, data_dir: Path) -> AsyncIterator[str]:
    """Give the address of the port on which a process that runs shows how it is."""
    port = free_port()
    variables = {
        **os.environ, "XIN_DATA_DIR": str(data_dir), "DATABASE_URL": database_url, "EMBEDDER": "none",
        "GATEWAY_PORT": str(free_port()), "BOT_MANAGER_METRICS_HOST": "127.0.0.1", _PORTS[process]: str(port),
    }  # fmt: skip
    with (data_dir / "stderr").open("wb") as stderr:
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chatbot", process,
            cwd=ROOT.parents[1], env=variables, stdout=asyncio.subprocess.DEVNULL, stderr=stderr,
        )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.kill()
        await running.wait()


async def _until(http: aiohttp.ClientSession, url: str, status: int) -> dict[str, Any]:
    """Ask until the answer has a status; a busy machine takes its time to start, to notice and to come back."""
    async with asyncio.timeout(120):
        while True:
            with suppress(aiohttp.ClientError):
                async with http.get(url) as answer:
                    if answer.status == status:
                        found: dict[str, Any] = await answer.json()
                        return found
            await asyncio.sleep(0.1)


@contextmanager
def _database_away(database_url: str) -> Iterator[None]:
    """Let nobody into a database while the block runs."""
    owner = owner_url(database_url)
    name = sql.Identifier(str(owner.database))
    with psycopg.connect(conninfo(owner.set(database="postgres")), autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(name))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [owner.database]
        )
        try:
            yield
        finally:
            connection.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true").format(name))


async def _first_figures(url: str) -> str:
    async with asyncio.timeout(60), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(url) as answer:
                    return await answer.text()
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
