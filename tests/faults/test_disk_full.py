"""A disk that is full: what cannot be stored is refused in words and leaves nothing behind; with room it goes on."""

import asyncio
import io
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chatbot.identity.demo import DEMO_BRAND_ID, DEMO_TENANT_ID
from tests.conftest import TEST_KEYS, bearer
from tests.started import started

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

_DISK_MB = 320
_FILE = b"Nobody reads this line.\n" * 200_000
_BACK_WITHIN = 120


@pytest.fixture
def small_disk(data_dir: Path) -> Iterator[Path]:
    """A small disk of its own, in memory."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m,mode=0755", "tmpfs", str(data_dir)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if mounted.returncode != 0:
        pytest.skip(f"needs to mount a small disk (root): {mounted.stderr.strip()}")
    yield data_dir
    subprocess.run(["umount", "--lazy", str(data_dir)], check=True)


async def _ask(http: aiohttp.ClientSession, session: str) -> tuple[int, Any, dict[str, Any]]:
    async with http.post("/api/chat", json={"sessionId": session, "message": "What is Xin?"}) as answer:
        return answer.status, answer.headers, await answer.json()


async def _upload(http: aiohttp.ClientSession) -> tuple[int, Any, dict[str, Any]]:
    form = aiohttp.FormData({"tenant_id": str(DEMO_TENANT_ID), "brand_id": str(DEMO_BRAND_ID)})
    form.add_field("file", io.BytesIO(_FILE), filename="large.txt", content_type="text/plain")
    async with http.post("/admin/knowledge_assets/upload", data=form, headers=bearer()) as answer:
        return answer.status, answer.headers, await answer.json()


def _files(data_dir: Path) -> int:
    return sum(path.is_file() for path in (data_dir / "uploads").rglob("*"))


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65_536)
        except OSError:
            return


async def test_it_refuses_in_words_and_recovers_unaided(small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ballast = small_disk / "ballast"
    settings = {"ADMIN_JWT_SECRET": TEST_KEYS.admin, "GATEWAY_METRICS_PORT": "0", "EMBEDDER": "none"}
    async with started(small_disk, **settings) as platform, aiohttp.ClientSession(platform.url) as http:
        assert (await _ask(http, "before"))[0] == 200
        files = _files(small_disk)
        _fill(ballast)
        refused = [await _upload(http) for _ in range(3)] + [await _ask(http, f"full {n}") for n in range(20)]
        for status, headers, body in refused:
            assert status in (200, 503, 507), body
            assert status == 200 or int(headers["Retry-After"]) > 0, body
        assert [status for status, _, _ in refused[:3]] == [503, 503, 503]
        assert "No space left" in refused[0][2]["detail"]
        assert _files(small_disk) == files, "half of a file stayed"
        ballast.unlink()
        began = time.monotonic()
        async with asyncio.timeout(_BACK_WITHIN):
            while (await _ask(http, "after"))[0] != 200 or (await _upload(http))[0] != 202:  # noqa: ASYNC110
                await asyncio.sleep(0.5)
        seconds = time.monotonic() - began
        assert platform.process.returncode is None
        assert _files(small_disk) == files + 1
    with capsys.disabled():
        print(
            f"\n{sum(status != 200 for status, _, _ in refused)} of {len(refused)} refused, back after {seconds:.1f} s"
        )
