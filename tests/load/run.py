"""`make load-test`: the load on a platform of its own, with the floor beside it; or on the host that is named.

Run with `python -m tests.load.run`; docs/LOAD_TEST.md lists the variables.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import aiohttp
from uvloop import run as run_async

from bench import floor
from bench.servers import ROOT, Platform, Server, end_cleanly, free_port

_FLOOR_PASSAGES = 1_000
_SECONDS = os.environ.get("LOAD_SECONDS") or "60"
_SPAWN_RATE = os.environ.get("LOAD_SPAWN_RATE") or "20"
_FIRST_MS = float(os.environ.get("LOAD_FIRST_TOKEN_MS") or 300)
_TOKEN_MS = float(os.environ.get("LOAD_TOKEN_MS") or 5)


def main() -> int:
    """Drive what `LOCUST_HOST` names, else a platform of its own and the floor."""
    if host := os.environ.get("LOCUST_HOST"):
        return _drive("locustfile.py", host, {})
    end_cleanly()
    with tempfile.TemporaryDirectory(prefix="xin-load-", ignore_cleanup_errors=True) as name:
        return _own(Path(name))


def _own(folder: Path) -> int:
    print(f"Load average before the run: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.", flush=True)
    port = free_port()
    with Server(("bench.model_server", "--port", str(port)), port=port, log=folder / "model.log") as model:
        run_async(_pace(model.url))
        print("The floor: the least that a turn can cost on this machine.", flush=True)
        with _floor(folder, model) as bare:
            visitors = str(len(_brands()) * int(os.environ.get("LOAD_CONVERSATIONS") or 50))
            _drive("floor.py", bare.url, {"FLOOR_TOKEN": floor.token(), "LOAD_VISITORS": visitors})
        gateway = free_port()
        settings = {
            "OPENAI_API_KEY": "load",
            "OPENAI_BASE_URL": f"{model.url}/v1",
            "OPENAI_MODEL": "bench",
            "GATEWAY_PORT": str(gateway),
            "GATEWAY_WEBHOOK_SECRET": os.environ.get("GATEWAY_WEBHOOK_SECRET") or "dev-web",
        }
        with Platform(folder / "xin", settings) as platform:
            print("The platform: webhook → dialogue → model, with ingestion beside it.", flush=True)
            own = {"ORCHESTRATOR_HOST": platform.url, "ADMIN_TOKEN": platform.token()}
            return _drive("locustfile.py", f"http://127.0.0.1:{gateway}", own)


def _brands() -> list[str]:
    return (os.environ.get("LOAD_BRANDS") or "alpha,beta").split(",")


def _floor(folder: Path, model: Server) -> Server:
    port = free_port()
    arguments = ("--port", str(port), "--data-dir", str(folder / "floor"), "--model-url", model.url)
    command = ("bench.floor", *arguments, "--passages", str(_FLOOR_PASSAGES))
    return Server(command, port=port, log=folder / "floor.log")


async def _pace(model_url: str) -> None:
    pace = {"ms": _TOKEN_MS, "first_ms": _FIRST_MS}
    async with aiohttp.ClientSession() as http, http.post(f"{model_url}/pace", json=pace) as answer:
        answer.raise_for_status()


def _drive(locustfile: str, host: str, variables: Mapping[str, str]) -> int:
    command = [
        sys.executable, "-m", "locust", "-f", str(Path(__file__).parent / locustfile), "--headless", "--host", host,
        "--users", "1000000", "--spawn-rate", _SPAWN_RATE, "--run-time", f"{_SECONDS}s", "--only-summary",
        "--stop-timeout", "30", "--loglevel", "WARNING",
    ]  # fmt: skip
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
