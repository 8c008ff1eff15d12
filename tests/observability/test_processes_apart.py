"""Processes that run apart, and what the alerts make of their machine: nothing that is not so."""

import asyncio
import os
import sys
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

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
        figures = await _first_figures(f"http://127.0.0.1:{port}/metrics")
    finally:
        running.kill()
        await running.wait()
    shown = {one.name: one.samples[0].value for one in text_string_to_metric_families(figures) if one.name in _MACHINE}
    assert set(shown) == set(_MACHINE)
    assert all(0 < value <= 1 for value in shown.values()), shown


async def _first_figures(url: str) -> str:
    async with asyncio.timeout(60), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(url) as answer:
                    return await answer.text()
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
