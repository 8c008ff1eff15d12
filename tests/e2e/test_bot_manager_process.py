"""A bot manager as a process of its own: it says how it is, and stops when it is told to."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp

from tests.ports import free_port

ROOT = Path(__file__).parents[2]


async def healthy(url: str) -> dict[str, object]:
    async with asyncio.timeout(120), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"{url}/health") as answer:
                    found: dict[str, object] = await answer.json()
                    return found
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)


async def test_it_starts_tells_its_health_and_stops(database_url: str, data_dir: Path) -> None:
    port = free_port()
    variables = {
        **os.environ,
        "XIN_DATA_DIR": str(data_dir),
        "DATABASE_URL": database_url,
        "BOT_MANAGER_METRICS_HOST": "127.0.0.1",
        "BOT_MANAGER_METRICS_PORT": str(port),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chatbot", "bot-manager",
        cwd=ROOT, env=variables, stdout=asyncio.subprocess.DEVNULL, stderr=(data_dir / "stderr").open("wb"),
    )  # fmt: skip
    try:
        found = await healthy(f"http://127.0.0.1:{port}")
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            figures = await answer.text()
        process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(process.wait(), 100)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert found == {"status": "ok", "dependencies": {"database": "ok", "leases": "ok"}}
    assert 'http_requests_total{method="GET",route="/health",status_code="2xx"}' in figures
    assert code == 0, (data_dir / "stderr").read_text()
