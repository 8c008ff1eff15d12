"""What a tenant whose receiver hangs costs another tenant's rules.

`python -m bench.neighbours [--firings 300] [--rounds 6]` prints one line of JSON. Rounds of webhooks of one tenant are
timed alone, then beside 200 firings of another whose receiver takes the connection and says nothing. One worker, a
process of its own, runs both.
"""

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from uuid import UUID

import psycopg
from aiohttp import web
from aiohttp.test_utils import TestServer

from bench.servers import Server, free_port
from chatbot.automation.rules.schemas import CreateRule
from chatbot.automation.rules.service import create
from chatbot.core.crypto import random_key
from chatbot.core.ids import new_id
from chatbot.db.bootstrap import create_bundled_database, prepare_database
from chatbot.db.server import BundledPostgres
from chatbot.db.sessions import Database
from chatbot.identity.subject import Role, Subject

_HANGING = 200
_ROUND_SECONDS = 0.5
"""How often the dispatcher looks: each round begins at another moment between two looks."""

_TENANT = "INSERT INTO tenants (id, name, default_brand_id) VALUES (%(tenant)s, 'T', %(brand)s)"
_BRAND = "INSERT INTO brands (tenant_id, id, name) VALUES (%(tenant)s, %(brand)s, 'B')"
_EVENTS = """
INSERT INTO events (tenant_id, name, payload)
SELECT %(tenant)s, 'agent.presence', '{"presence": "online"}' FROM generate_series(1, %(count)s)
"""


@dataclass
class Receiver:
    """Two addresses: one answers at once, the other hangs until it is over."""

    received: int = 0
    waiting: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def well(self, _request: web.Request) -> web.Response:
        """Take a webhook."""
        self.received += 1
        return web.Response()

    async def ill(self, _request: web.Request) -> web.Response:
        """Keep a webhook waiting."""
        self.waiting += 1
        await self.over.wait()
        return web.Response()


class Neighbours:
    """One run against an empty database."""

    def __init__(self, url: str, receiver: Receiver, address: str) -> None:
        self._url = url
        self._receiver = receiver
        self._address = address
        self._chance = random.Random(7)
        self.ours, self.other = new_id(), new_id()

    async def make(self) -> None:
        """Two tenants with a rule each that sends a webhook."""
        async with Database(self._url) as database:
            for tenant, path in ((self.ours, "well"), (self.other, "ill")):
                await self._execute(_TENANT, tenant=tenant, brand=(brand := new_id()))
                await self._execute(_BRAND, tenant=tenant, brand=brand)
                async with database.tenant(tenant) as session:
                    await create(session, Subject("bench", Role.PLATFORM_ADMIN), _rule(tenant, self._address + path))

    async def rounds(self, count: int, firings: int) -> list[float]:
        """How many seconds each round took, from its events to its last webhook."""
        seconds = []
        for number in range(count + 1):
            await asyncio.sleep(self._chance.uniform(0, _ROUND_SECONDS))
            before, began = self._receiver.received, time.perf_counter()
            await self._execute(_EVENTS, tenant=self.ours, count=firings)
            while self._receiver.received < before + firings:  # noqa: ASYNC110 - a counter
                await asyncio.sleep(0.005)
            if number:  # the first warms up
                seconds.append(time.perf_counter() - began)
        return seconds

    async def hang(self) -> None:
        """Let the other tenant's webhooks begin to hang."""
        await self._execute(_EVENTS, tenant=self.other, count=_HANGING)
        while not self._receiver.waiting:  # noqa: ASYNC110 - a counter
            await asyncio.sleep(0.05)

    async def _execute(self, statement: str, **values: UUID | int) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            await connection.execute(statement.encode(), values)


def _rule(tenant_id: UUID, url: str) -> CreateRule:
    return CreateRule.model_validate({
        "tenant_id": tenant_id, "name": "Told", "trigger": {"type": "event", "name": "agent.presence"},
        "actions": [{"type": "webhook", "url": url, "body": {"hello": "there"}}],
    })  # fmt: skip


def _worker(url: str, folder: Path) -> Server:
    port = free_port()
    settings = {
        "DATABASE_URL": url, "XIN_DATA_DIR": str(folder / "data"), "LOG_LEVEL": "ERROR",
        "AUTOMATION_METRICS_PORT": str(port), "XIN_ENCRYPTION_KEYS": random_key(),
        "XIN_FETCH_ALLOW_HOSTS": "127.0.0.1", "PATH": os.environ.get("PATH", ""),
    }  # fmt: skip
    return Server(["chatbot", "automation-worker"], port=port, log=folder / "worker.log", settings=settings)


async def _measure(url: str, folder: Path, rounds: int, firings: int) -> dict[str, float]:
    receiver, app = Receiver(), web.Application()
    app.router.add_post("/well", receiver.well)
    app.router.add_post("/ill", receiver.ill)
    async with TestServer(app) as server:
        neighbours = Neighbours(url, receiver, str(server.make_url("/")))
        await neighbours.make()
        worker = await asyncio.to_thread(_worker(url, folder).start)
        try:
            alone = await neighbours.rounds(rounds, firings)
            await neighbours.hang()
            beside = await neighbours.rounds(rounds, firings)
        finally:
            receiver.over.set()
            await asyncio.to_thread(worker.stop)
    return {
        "firings": firings, "alone_s": round(median(alone), 2), "beside_s": round(median(beside), 2),
        "ratio": round(median(beside) / median(alone), 2), "hung": receiver.waiting,
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--firings", type=int, default=300)
    options.add_argument("--rounds", type=int, default=6)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="xin-bench-") as folder:
        server = BundledPostgres(Path(folder) / "db")
        server.start()
        try:
            create_bundled_database(server.url)
            prepare_database(server.url)
            print(json.dumps(asyncio.run(_measure(server.url, Path(folder), given.rounds, given.firings))))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
