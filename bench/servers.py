"""Servers of a benchmark's own: started as a process, waited for until ready, ended at the end."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).parents[1]
_START_SECONDS = 120
_STOP_SECONDS = 40
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")


class StartFailed(Exception):
    """A server did not start; the message holds the end of its output."""


class Server:
    """A Python module run as a process that serves HTTP on a loopback port.

    Args:
        arguments: what follows `python -m`.
        port: where it will listen.
        log: the file that takes its output.
        settings: its environment, beside the few variables that every program needs.
        ready: the path that answers 200 once it serves.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        port: int,
        log: Path,
        settings: Mapping[str, str] | None = None,
        ready: str = "/health",
    ) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.start_seconds = 0.0
        self._arguments = arguments
        self._log = log
        self._ready = ready
        self._environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | dict(settings or {})

    def start(self) -> Self:
        """Start and wait until it is ready; `start_seconds` tells how long that took.

        Raises:
            StartFailed: it ended, or was not ready in time.
        """
        begun = time.perf_counter()
        with self._log.open("ab") as sink:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._arguments],
                cwd=ROOT, env=self._environment, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        while not _answers(f"{self.url}{self._ready}"):
            if self._process.poll() is not None or time.perf_counter() - begun > _START_SECONDS:
                self.stop()
                end = self._log.read_text(errors="replace")[-2000:]
                raise StartFailed(f"{' '.join(self._arguments)} did not start: {end}")
            time.sleep(0.01)
        self.start_seconds = time.perf_counter() - begun
        return self

    def stop(self) -> None:
        """Ask it to end; kill it when it does not."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The server's own process."""
        return self._process.pid


class Platform(Server):
    """The all-in-one process with the bundled PostgreSQL, on free ports; a folder used before starts warm."""

    def __init__(self, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        port = free_port()
        own = {"XIN_DATA_DIR": str(data_dir), "ORCHESTRATOR_PORT": str(port), "LOG_LEVEL": "WARNING", **_ports()}
        super().__init__(
            ("chatbot", "run"),
            port=port,
            log=data_dir.parent / f"{data_dir.name}.log",
            settings={**own, **(settings or {})},
            ready="/health/ready",
        )

    def token(self) -> str:
        """Return a platform admin's token, good for an hour."""
        done = subprocess.run(
            [sys.executable, "-m", "chatbot", "token"],
            cwd=ROOT, env=self._environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()


def end_cleanly() -> None:
    """Make SIGTERM leave `with` blocks as an interrupt does, so that no server is left behind."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ports() -> dict[str, str]:
    names = (
        "GATEWAY_PORT",
        "GATEWAY_METRICS_PORT",
        "INGEST_METRICS_PORT",
        "AUTOMATION_METRICS_PORT",
        "BOT_MANAGER_METRICS_PORT",
    )
    return {name: str(free_port()) for name in names}


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
