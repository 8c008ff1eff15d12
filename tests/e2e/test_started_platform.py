"""The platform as a stranger meets it: one command, a first question, a clean stop, a crash, a warm start."""

import asyncio
import json
import os
import re
import signal
import sys
import time
from pathlib import Path

import aiohttp

from tests.conftest import TEST_KEYS, bearer
from tests.started import ROOT, started


async def _ask(url: str, question: str, session: str = "me") -> dict[str, object]:
    async with aiohttp.ClientSession() as http:
        for _ in range(240):
            async with http.post(f"{url}/api/chat", json={"sessionId": session, "message": question}) as answer:
                body: dict[str, object] = await answer.json()
                assert answer.status == 200, body
            if body["mode"] != "no_answer":
                break
            await asyncio.sleep(0.5)  # the demo tenant's knowledge is being read in
        return body


async def test_first_start_answers_then_stops_and_starts_warm(data_dir: Path) -> None:
    async with started(data_dir) as platform:
        assert "password" in platform.printed
        english = await _ask(platform.url, "What is Xin?")
        assert english["mode"] == "extractive"
        assert "platform" in str(english["reply"])
        assert english["citations"]
        persian = await _ask(platform.url, "داده‌های من کجا نگهداری می‌شوند؟", "fa")
        assert "پوشهٔ داده" in str(persian["reply"])
        spanish = await _ask(platform.url, "¿Necesita Xin una clave de inteligencia artificial?", "es")
        assert "No" in str(spanish["reply"])
        platform.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(platform.process.wait(), 120) == 0
    began = time.monotonic()
    async with started(data_dir) as platform:
        assert "password" not in platform.printed
        assert time.monotonic() - began < 120
        assert (await _ask(platform.url, "What is Xin?"))["citations"]


async def test_what_it_does_not_know_it_does_not_answer(data_dir: Path) -> None:
    async with started(data_dir) as platform:
        await _ask(platform.url, "What is Xin?")
        async with aiohttp.ClientSession() as http:
            for question in ("How tall is the Eiffel tower?", "پایتخت مغولستان کجاست؟", "¿Quién pintó Las Meninas?"):
                async with http.post(
                    f"{platform.url}/api/chat", json={"sessionId": "x", "message": question}
                ) as answer:
                    body = await answer.json()
                assert body["mode"] == "no_answer", body
                assert body["citations"] == []
                assert body["ticketOffered"] is True


async def test_a_killed_platform_starts_again(data_dir: Path) -> None:
    async with started(data_dir) as platform:
        await _ask(platform.url, "What is Xin?")
        platform.process.kill()
        await platform.process.wait()
    async with started(data_dir) as platform:
        assert (await _ask(platform.url, "What is Xin?"))["citations"]


async def test_bad_settings_and_taken_ports_are_named(data_dir: Path) -> None:
    async with started(data_dir) as platform:
        port = platform.url.rsplit(":", 1)[1]
        for variables, name in (
            ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL"),
            ({"ORCHESTRATOR_PORT": port}, "ORCHESTRATOR_PORT"),
        ):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "chatbot", "run",
                cwd=ROOT, env={**os.environ, "XIN_DATA_DIR": str(data_dir / "other"), **variables},
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            _, errors = await asyncio.wait_for(process.communicate(), 120)
            assert process.returncode == 1
            assert name in errors.decode()
            assert "Traceback" not in errors.decode()


async def test_onboarding_names_the_step_that_failed(data_dir: Path) -> None:
    valid = bearer()["Authorization"].removeprefix("Bearer ")

    async def onboard(url: str, token: str = valid) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "scripts/demo_onboarding.py", "--api-url", url, "--api-token", token,
            cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), 250)
        assert process.returncode is not None
        return process.returncode, output.decode()

    async with started(data_dir, ADMIN_JWT_SECRET=TEST_KEYS.admin) as platform:
        code, said = await onboard(platform.url)
        assert code == 0, said
        steps = [
            "tenant made",
            "channel made",
            "snippet given",
            "knowledge sent",
            "knowledge ready",
            "question answered",
        ]
        assert re.findall(r"^ok +([a-z ]+):", said, re.M) == steps
    code, said = await onboard(platform.url)
    assert code == 1
    assert said.startswith("failed  tenant made: ")
    assert "Traceback" not in said
    code, said = await onboard(platform.url, "")
    assert (code, said.startswith("failed  token: it is empty")) == (1, True), said


async def test_health_and_metrics(data_dir: Path) -> None:
    async with started(data_dir) as platform, aiohttp.ClientSession() as http:
        for path in ("/health", "/api/health", "/health/live", "/health/ready"):
            async with http.get(platform.url + path, headers={"X-Request-ID": "abc"}) as answer:
                assert answer.status == 200
                assert answer.headers["X-Request-ID"] == "abc"
                assert json.loads(await answer.read())["status"] == "ok"
        async with http.get(platform.url + "/metrics") as answer:
            text = await answer.text()
        assert re.search(r'http_requests_total\{method="GET",route="/health",status_code="2xx"\}', text)
        assert "http_request_latency_seconds_bucket" in text
