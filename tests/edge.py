"""Real Caddy with a configuration of the repository, as tests run it."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

ROOT = Path(__file__).parents[1]
_START_SECONDS = 120


def caddy() -> str:
    """Return the program, or skip by name where it is not installed."""
    found = shutil.which("caddy")
    if not found:
        pytest.skip("needs Caddy (on Debian: apt-get install caddy)")
    return found


@asynccontextmanager
async def running_caddy(config: str, variables: Mapping[str, str], folder: Path, *, ready: str) -> AsyncIterator[None]:
    """Run Caddy with `deploy/caddy/<config>` while the block runs; `ready` is an address that it answers."""
    environment = {**os.environ, **variables, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    log = folder / "caddy.log"
    with log.open("ab") as sink:
        process = await asyncio.create_subprocess_exec(
            caddy(), "run", "--adapter", "caddyfile", "--config", str(ROOT / "deploy" / "caddy" / config),
            env=environment, stdout=sink, stderr=sink,
        )  # fmt: skip
    try:
        async with asyncio.timeout(_START_SECONDS), aiohttp.ClientSession() as http:
            while not await _answers(http, ready):
                assert process.returncode is None, log.read_text()[-2000:]
                await asyncio.sleep(0.05)
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url, ssl=False):
            return True
    except aiohttp.ClientError:
        return False
