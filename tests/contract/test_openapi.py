"""The OpenAPI document, fuzzed by schemathesis against the served orchestrator: nothing makes a 5xx."""

import asyncio
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import bearer

EXAMPLES = "12"
SECONDS = "60"


@pytest.mark.timeout(600)
async def test_no_input_makes_a_server_error(api: aiohttp.ClientSession, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    address = str(api._base_url).rstrip("/")
    async with api.get("/openapi.json") as document:  # made when it is first asked for: schemathesis waits 10 s at most
        assert document.status == 200
    process = await asyncio.create_subprocess_exec(
        str(program), "run", f"{address}/openapi.json",
        "--checks", "not_a_server_error,response_headers_conformance,response_schema_conformance",
        "--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--max-time", SECONDS,
        "--header", f"Authorization: {bearer()['Authorization']}", "--header", "X-Fuzzed: yes",
        "--exclude-path-regex", "^/auth/logout$|^/admin/live$", "--seed", "7", "--no-color", "--request-timeout", "120",
        "--generation-deterministic", "--continue-on-failure", "--suppress-health-check", "all",
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    text = output.decode(errors="replace")
    assert "Schemathesis" in text
    assert process.returncode == 0, text[-6000:]
