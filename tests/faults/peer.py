"""A provider as the platform meets it: tells each event several times, and takes signed replies."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from tests.faults.fleet import Fleet
from tests.whole import signed

_AT_ONCE = 24
_AGAIN_SECONDS = 0.3
_GIVE_UP_SECONDS = 300


@dataclass
class Replies:
    """Every reply as it came, by visitor, and how often each delivery was repeated."""

    url: str = ""
    by_visitor: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    times: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    async def take(self, request: web.Request) -> web.Response:
        """Keep a reply that is new; count one that comes again under the same `webhook-id`."""
        delivery, body = request.headers["webhook-id"], orjson.loads(await request.read())
        self.times[delivery] += 1
        if self.times[delivery] == 1:
            self.by_visitor[body["session_id"]].append({"webhook_id": delivery, **body["message"]})
        return web.Response()

    @property
    def distinct(self) -> int:
        """How many deliveries came, each counted once."""
        return len(self.times)

    async def received(self, deliveries: int) -> None:
        """Wait until so many deliveries came."""
        async with asyncio.timeout(120):
            while self.distinct < deliveries:  # noqa: ASYNC110 - a counter
                await asyncio.sleep(0.01)

    @property
    def repeats(self) -> int:
        """How many came again: the process was killed between the POST and the note of it."""
        return sum(self.times.values()) - len(self.times)


class Sender:
    """Tells events to gateways picked at random, and again until one has taken them, as providers do."""

    def __init__(self, fleet: Fleet, channel_id: str, secret: str, chance: random.Random) -> None:
        self._fleet = fleet
        self._path = f"/webhooks/webhook/{channel_id}"
        self._secret = secret
        self._chance = chance
        self.retries = 0

    async def tell(self, bodies: Sequence[dict[str, Any]]) -> None:
        """Tell all, some at once."""
        waiting = iter(bodies)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
            await asyncio.gather(*(self._tell_each(http, waiting) for _ in range(_AT_ONCE)))

    async def _tell_each(self, http: aiohttp.ClientSession, waiting: Any) -> None:
        for body in waiting:
            async with asyncio.timeout(_GIVE_UP_SECONDS):
                while not await self._taken(http, body):
                    self.retries += 1
                    await asyncio.sleep(_AGAIN_SECONDS)

    async def _taken(self, http: aiohttp.ClientSession, body: dict[str, Any]) -> bool:
        raw = orjson.dumps(body)
        gateway = self._chance.choice(self._fleet.gateways)
        try:
            async with http.post(gateway.url + self._path, data=raw, headers=signed(self._secret, raw)) as answer:
                assert answer.status == 200 or answer.status >= 500, await answer.text()
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False
