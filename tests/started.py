"""A platform as its operator starts it: `xin run` in a folder of its own, on free ports."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


class Platform:
    """A started platform: its process, its address and what it printed."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, printed: str) -> None:
        self.process = process
        self.url = url
        self.printed = printed


def variables(data_dir: Path, **environment: str) -> dict[str, str]:
    """The environment of a platform's process in a data folder."""
    return {
        **os.environ,
        "XIN_DATA_DIR": str(data_dir),
        "ORCHESTRATOR_PORT": "0",
        "GATEWAY_PORT": "0",
        **environment,
    }


@asynccontextmanager
async def started(data_dir: Path, **environment: str) -> AsyncIterator[Platform]:
    """Run `xin run` in a data folder until it says that it is ready; kill it at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chatbot", "run", cwd=ROOT, env=variables(data_dir, **environment),
        stdout=asyncio.subprocess.PIPE, stderr=(data_dir / "stderr").open("wb"),
    )  # fmt: skip
    try:
        printed = await asyncio.wait_for(_welcome(process), 180)
        address = re.search(r"http://\S+", printed)
        assert address, (data_dir / "stderr").read_text()
        yield Platform(process, address.group(), printed)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _welcome(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    lines = b""
    while b"curl" not in lines:
        line = await process.stdout.readline()
        if not line:
            break
        lines += line
    return lines.decode()
