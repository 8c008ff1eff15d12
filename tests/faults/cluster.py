"""Two orchestrators and two gateways behind real Caddy with the configuration that deployments use."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chatbot.core.crypto import random_key
from tests.conftest import TEST_KEYS
from tests.edge import running_caddy
from tests.faults.fleet import Member
from tests.ports import free_port

DRAIN_DELAY_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """The edge's address and the processes behind it."""

    url: str
    orchestrators: Sequence[Member]
    gateways: Sequence[Member]

    async def roll(self, pause: float) -> list[float]:
        """Restart one process of each kind after the other; return how many seconds each took to end."""
        kinds = await asyncio.gather(_roll(self.orchestrators, pause), _roll(self.gateways, pause))
        return [seconds for kind in kinds for seconds in kind]


async def _roll(members: Sequence[Member], pause: float) -> list[float]:
    ended = []
    for member in members:
        ended.append(await member.end())
        await member.start()
        await asyncio.sleep(pause)
    return ended


@asynccontextmanager
async def running_cluster(database_url: str, model_url: str, data_dir: Path) -> AsyncIterator[Cluster]:
    """Run the cluster while the block runs; none of its processes outlives it."""
    edge, inner, admin = free_port(), free_port(), free_port()
    shared = _shared(database_url, model_url, data_dir) | {"ORCHESTRATOR_URL": f"http://127.0.0.1:{inner}"}
    orchestrators = [_member("orchestrator", "ORCHESTRATOR_PORT", shared, data_dir) for _ in range(2)]
    gateways = [_member("gateway", "GATEWAY_PORT", shared, data_dir) for _ in range(2)]
    variables = {
        "EDGE_SITE": f"http://127.0.0.1:{edge}",
        "EDGE_TLS": "",
        "EDGE_ADMIN": f"localhost:{admin}",
        "EDGE_INNER_PORT": str(inner),
        "EDGE_ORCHESTRATORS": _addresses(orchestrators),
        "EDGE_GATEWAYS": _addresses(gateways),
        "EDGE_FRONTENDS": _addresses(orchestrators),
    }
    members = [*orchestrators, *gateways]
    try:
        await asyncio.gather(*(member.start() for member in members))
        async with AsyncExitStack() as stack:
            url = f"http://127.0.0.1:{edge}"
            await stack.enter_async_context(running_caddy("Caddyfile", variables, data_dir, ready=f"{url}/health"))
            yield Cluster(url, orchestrators, gateways)
    finally:
        await asyncio.gather(*(member.stop() for member in members))


def _addresses(members: Sequence[Member]) -> str:
    return " ".join(member.url.removeprefix("http://") for member in members)


def _member(process: str, setting: str, shared: Mapping[str, str], data_dir: Path) -> Member:
    port = free_port()
    variables = {**shared, setting: str(port), "GATEWAY_METRICS_PORT": str(free_port())}
    return Member(process, port, variables, data_dir / f"{process}-{port}.log")


def _shared(database_url: str, model_url: str, data_dir: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "DATABASE_POOL_SIZE": "6",
        "XIN_DATA_DIR": str(data_dir),
        "ADMIN_JWT_SECRET": TEST_KEYS.admin,
        "EMBED_JWT_SECRET": TEST_KEYS.embed,
        "XIN_ENCRYPTION_KEYS": random_key(),
        "EMBEDDER": "none",
        "OPENAI_API_KEY": "a-key-of-the-tests",
        "OPENAI_BASE_URL": model_url,
        "CHAT_LIMIT_ADDRESS": "1000000",
        "DRAIN_DELAY_SECONDS": str(DRAIN_DELAY_SECONDS),
        "LOG_LEVEL": "WARNING",
    }
