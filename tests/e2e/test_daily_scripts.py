"""The scripts of the day, the week and the month, against a started platform and against none."""

import asyncio
import json
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.ports import free_port
from tests.started import started

ROOT = Path(__file__).parents[2]
_PORTS = ("GATEWAY_PORT", "GATEWAY_METRICS_PORT", "INGEST_METRICS_PORT", "AUTOMATION_METRICS_PORT")

Run = Callable[..., Coroutine[Any, Any, tuple[int, str]]]


@pytest.fixture
async def run(data_dir: Path) -> AsyncIterator[Run]:
    """A script's exit code and what it said, on a platform that runs."""
    ports = {name: str(free_port()) for name in _PORTS}
    settings = {**ports, "LOG_LEVEL": "WARNING", "EMBEDDER": "none"}
    async with started(data_dir, **settings) as platform:
        where = {
            "ORCHESTRATOR_URL": platform.url,
            "GATEWAY_URL": f"http://127.0.0.1:{ports['GATEWAY_PORT']}",
            "INGEST_METRICS_URL": f"http://127.0.0.1:{ports['INGEST_METRICS_PORT']}",
            "AUTOMATION_METRICS_URL": f"http://127.0.0.1:{ports['AUTOMATION_METRICS_PORT']}",
            "DATA_DIR": str(data_dir),
            "ENV_FILE": str(data_dir / "xin.env"),
        }
        (data_dir / "xin.env").write_text(f"XIN_DATA_DIR={data_dir}\n")

        async def call(script: str, **variables: str) -> tuple[int, str]:
            return await _call(script, {**where, **variables})

        yield call


async def _call(script: str, variables: dict[str, str]) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        "bash", str(ROOT / "scripts" / script), env={**os.environ, **variables}, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 280)
    assert process.returncode is not None
    return process.returncode, output.decode()


@pytest.mark.timeout(900)
async def test_they_tell_how_the_platform_is(run: Run, data_dir: Path) -> None:
    components = "orchestrator gateway ingestion automation"
    code, said = await run("health-check.sh", COMPONENTS=components)
    assert code == 0, said
    lines = re.findall(r"^OK +(\S+)", said, re.M)
    assert lines == [
        "orchestrator", "gateway", "ingestion-worker", "automation-worker", "database", "storage", "bot_manager",
        "disk",
    ]  # fmt: skip
    assert await run("health-check.sh", COMPONENTS=components, QUIET="true") == (0, "")
    code, said = await run("health-check.sh", COMPONENTS="gateway bot-manager", BOT_MANAGER_URL="http://127.0.0.1:9")
    assert code == 1
    assert re.search(r"^FAILED +bot-manager +http://127.0.0.1:9/health/ready does not answer$", said, re.M)

    code, said = await run("hourly-metrics.sh")
    assert code == 0, said
    assert json.loads(said)["requests"] == 0, "probes and scrapes are no requests"
    unbuilt = "http://127.0.0.1:9"  # a console that was not built answers 503, which is an error of ours
    code, said = await run("performance-check.sh", REQUESTS="3", API_PATH="/openapi.json", CONSOLE_URL=unbuilt)
    assert "API, P95" in said
    code, said = await run("hourly-metrics.sh")
    figures = json.loads(said)
    assert figures["requests"] >= 3
    assert figures["memory_bytes"] > 10_000_000
    assert figures["dead_letters"] == figures["errors"] == 0
    kept = (data_dir / "logs/hourly-metrics.jsonl").read_text().splitlines()
    assert json.loads(kept[-1]) == figures

    # How fast a busy machine is, is no matter of this test; that it is told so is.
    code, said = await run("performance-baseline.sh", REQUESTS="10")
    assert code == ("SLOW " in said), said
    code, said = await run("performance-check.sh", REQUESTS="10")
    assert "API, beside baseline" in said
    assert code == ("SLOW " in said), said
    (seconds,) = re.findall(r"^(?:OK|SLOW) +API, P95 +([\d.]+) s, at most 1.2$", said, re.M)
    assert (f"OK      API, P95 {' ' * 13} {seconds} s" in said) == (float(seconds) <= 1.2), said
    code, said = await run("weekly-maintenance.sh", REQUESTS="5")
    assert re.search(r"^OK +database: vacuum, analyze, reindex\n +vacuumed and analysed in", said, re.M), said

    code, said = await run("monthly-maintenance.sh", REQUESTS="5", AUDIT="false")
    assert code == ("SLOW " in said), said
    assert re.search(r"^OK +backup, proven whole\n(?: +.*\n)* +xin-backup-\S+ is whole", said, re.M), said
    assert re.search(r"^(OK|FAILED) +baseline of speed\n", said, re.M)
    assert "baseline: " in said


@pytest.mark.timeout(900)
async def test_the_report_tells_what_is_wrong_and_is_posted(run: Run, data_dir: Path) -> None:
    logs, posted = data_dir / "logs", []
    logs.mkdir(exist_ok=True)
    (data_dir / "backups").mkdir()
    (data_dir / "backups/xin-backup-20260101T000000Z.tar.gz").touch()
    before = {"at": "x", "requests": 1000, "errors": 10, "turns": 5, "dead_letters": 0, "ingestion_waiting": 0}
    after = before | {"requests": 3000, "errors": 40, "turns": 105, "dead_letters": 3}
    more = {"deliveries_waiting": 7, "automation_waiting": 0, "sockets": 1, "memory_bytes": 1, "disk_free_percent": 50}
    (logs / "hourly-metrics.jsonl").write_text("\n".join(json.dumps(each | more) for each in (before, after)) + "\n")

    async def take(request: web.Request) -> web.Response:
        posted.append(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    async with TestServer(app) as server:
        hook = str(server.make_url("/"))
        code, said = await run("daily-report.sh", COMPONENTS="orchestrator gateway", REPORT_WEBHOOK_URL=hook)
    assert code == 1
    assert "Requests: 2000, answered with an error of ours: 30. Turns: 100." in said
    assert "WRONG   more than 0.5 % errors" in said
    assert "WRONG   3 dead letters" in said
    assert re.search(r"Newest backup: xin-backup-20260101T000000Z.tar.gz, \d+ h old", said)
    assert posted == [{"text": said}]


async def test_an_old_backup_and_old_logs_are_noticed(data_dir: Path) -> None:
    logs = data_dir / "logs"
    logs.mkdir()
    (data_dir / "backups").mkdir()
    old = (datetime.now(UTC) - timedelta(days=9)).timestamp()
    for file in (data_dir / "backups/xin-backup-1.tar.gz", logs / "xin.log.1", logs / "xin.log"):
        file.touch()
        os.utime(file, (old, old))
    (logs / "operations.log").write_text("what cron's scripts said\n")
    variables = {"DATA_DIR": str(data_dir), "ORCHESTRATOR_URL": "http://127.0.0.1:9", "COMPONENTS": "orchestrator"}
    variables["PYTHON"] = "/bin/false"
    code, said = await _call("daily-report.sh", variables)
    assert code == 1
    assert "WRONG   the newest backup is older than a day" in said
    assert "FAILED  orchestrator" in said
    code, said = await _call("weekly-maintenance.sh", variables)
    assert code == 1
    assert re.search(r"^FAILED +speed", said, re.M), "the steps after a failed one are run"
    kept = sorted(file.name for file in logs.iterdir())
    assert [re.sub(r"[\dT-]+$", "", name) for name in kept] == ["operations.log.", "xin.log"], (
        "set aside, and kept for now"
    )
    began = time.monotonic()
    code, _ = await _call("hourly-metrics.sh", variables)
    assert code == 1
    assert time.monotonic() - began < 200


async def test_ports_and_folders_are_those_of_the_platforms_settings(data_dir: Path) -> None:
    port, folder = free_port(), data_dir / "data"
    (data_dir / "xin.env").write_text(f'export GATEWAY_PORT="{port}" \nXIN_DATA_DIR={folder}\n# GATEWAY_PORT=1\n')
    own = dict.fromkeys(("GATEWAY_PORT", "XIN_DATA_DIR", "LOGS_DIR", "BACKUP_DIR"), "")
    variables = {**own, "ENV_FILE": str(data_dir / "xin.env"), "COMPONENTS": "gateway", "ORCHESTRATOR_PORT": "9"}
    code, said = await _call("health-check.sh", variables)
    assert code == 1
    assert f"gateway           http://127.0.0.1:{port}/health/ready does not answer" in said
    code, said = await _call("hourly-metrics.sh", variables)
    assert "http://127.0.0.1:9/metrics does not answer" in said, "the environment goes before the file"
    code, said = await _call("daily-report.sh", variables)
    assert code == 1
    assert f"WRONG   no backup in {folder}/backups" in said, "a folder that is not there ends no report"
