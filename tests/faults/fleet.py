"""Real processes of a platform on one database, killed with -9 and started again at random."""

import asyncio
import os
import random
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from pydantic import SecretStr

from chatbot.core.crypto import random_key
from chatbot.core.settings import Settings
from tests.conftest import TEST_KEYS
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
_START_SECONDS = 180
_END_SECONDS = 120


class Member:
    """One process of the fleet."""

    def __init__(
        self, process: str, port: int, variables: Mapping[str, str], log: Path, *, clock: str | None = None
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.kills = 0
        wrong_clock = ["faketime", "-f", clock] if clock else []
        self._command = [*wrong_clock, sys.executable, "-m", "chatbot", process]
        self._variables = variables
        self._log = log
        self._running: Process | None = None

    async def start(self) -> None:
        """Start and wait until it is ready."""
        with self._log.open("ab") as sink:
            self._running = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=ROOT,
                env=self._variables,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
        async with asyncio.timeout(_START_SECONDS), aiohttp.ClientSession() as http:
            while not await self._ready(http):
                assert self._running.returncode is None, self._log.read_text(errors="replace")[-3000:]
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """End it without a warning."""
        self.kills += 1
        await self.stop()

    async def stop(self) -> None:
        """End it if it runs."""
        if self._running and self._running.returncode is None:
            os.killpg(self._running.pid, signal.SIGKILL)  # a wrong clock is a wrapper around the process
            await self._running.wait()

    async def end(self) -> float:
        """Ask it to end, as a deployment does; return how many seconds that took."""
        assert self._running
        began = time.monotonic()
        self._running.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(self._running.wait(), _END_SECONDS)
        assert code == 0, self.log[-3000:]
        return time.monotonic() - began

    async def _ready(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.url}/health/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    @property
    def log(self) -> str:
        """What it has said."""
        return self._log.read_text(errors="replace")


class Fleet:
    """An orchestrator, which runs turns, and gateways, which take messages and send replies."""

    def __init__(self, orchestrator: Member, gateways: Sequence[Member]) -> None:
        self.orchestrator = orchestrator
        self.gateways = gateways

    @property
    def members(self) -> list[Member]:
        """All of them."""
        return [self.orchestrator, *self.gateways]

    @property
    def kills(self) -> int:
        """How often one was killed."""
        return sum(member.kills for member in self.members)

    async def torment(self, chance: random.Random, kills: int, pause: tuple[float, float]) -> None:
        """Kill one after the other, each for a moment; every third time the orchestrator."""
        for number in range(kills):
            await asyncio.sleep(chance.uniform(*pause))
            victim = self.orchestrator if number % 3 == 2 else chance.choice(self.gateways)
            await victim.kill()
            await asyncio.sleep(chance.uniform(0, 0.5))
            await victim.start()


def fleet_settings(settings: Settings) -> Settings:
    """Settings that the test shares with its fleet: secrets, and a receiver on the loopback address."""
    return settings.model_copy(
        update={"xin_encryption_keys": SecretStr(random_key()), "xin_fetch_allow_hosts": ["127.0.0.1"]}
    )


def shared_variables(database_url: str, settings: Settings, data_dir: Path) -> dict[str, str]:
    """Return the environment of every process of a fleet."""
    assert settings.xin_encryption_keys
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "DATABASE_POOL_SIZE": "3",  # five processes share the 120 connections of the tests' server
        "XIN_DATA_DIR": str(data_dir),
        "ADMIN_JWT_SECRET": TEST_KEYS.admin,
        "EMBED_JWT_SECRET": TEST_KEYS.embed,
        "XIN_ENCRYPTION_KEYS": settings.xin_encryption_keys.get_secret_value(),
        "XIN_FETCH_ALLOW_HOSTS": "127.0.0.1",
        "EMBEDDER": "none",
        "SMART_MODE_ENABLED": "false",
        "LOG_LEVEL": "WARNING",
    }


@asynccontextmanager
async def running_fleet(
    database_url: str, settings: Settings, data_dir: Path, *, gateways: int = 4
) -> AsyncIterator[Fleet]:
    """Run a fleet while the block runs; whatever happens, none of its processes outlives it."""
    orchestrator_port = free_port()
    shared = {**shared_variables(database_url, settings, data_dir), "ORCHESTRATOR_PORT": str(orchestrator_port)}
    doors = [free_port() for _ in range(gateways)]
    fleet = Fleet(
        Member("orchestrator", orchestrator_port, shared, data_dir / "orchestrator.log"),
        [
            Member("gateway", port, _gateway(shared, port), data_dir / f"gateway-{number}.log")
            for number, port in enumerate(doors)
        ],
    )
    try:
        await asyncio.gather(*(member.start() for member in fleet.members))
        yield fleet
    finally:
        await asyncio.gather(*(member.stop() for member in fleet.members))


def _gateway(shared: Mapping[str, str], port: int) -> dict[str, str]:
    return {**shared, "GATEWAY_PORT": str(port), "GATEWAY_METRICS_PORT": str(free_port())}
