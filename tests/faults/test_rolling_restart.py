"""A rolling restart of two orchestrators and two gateways behind Caddy, under 200 streams: nobody sees an error."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from chatbot.db.sessions import Database
from chatbot.identity.tokens import issue_embed_token
from tests.conftest import TEST_KEYS, TenantRows
from tests.faults.bounds import at_most
from tests.faults.cluster import DRAIN_DELAY_SECONDS, Cluster, running_cluster
from tests.integration.dialogue.model_server import run_model_server
from tests.integration.dialogue.platform import DOCUMENTS, add_knowledge

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_STREAMS = 100
_SOCKETS = 100
_QUESTION = "How do I reset my password on iPhone?"
_WORDS, _PAUSE = 36, 0.6
"""A reply takes 22 s: twice as long as a process that ends waits for it, so many are cut."""

_THINK = (2.0, 10.0)
_ENDS_WITHIN = at_most(30)


@dataclass
class Seen:
    """What visitors saw."""

    statuses: Counter[int] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def think(self, chance: random.Random) -> None:
        """Wait as people do, or until it is over."""
        try:
            async with asyncio.timeout(chance.uniform(*_THINK)):
                await self.over.wait()
        except TimeoutError:
            return


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, str, dict[str, Any]]]:
    """Give name, id and data of each event of a stream."""
    name = place = ""
    async for line in answer.content:
        if line.startswith(b"event: "):
            name = line[7:-1].decode()
        elif line.startswith(b"id: "):
            place = line[4:-1].decode()
        elif line.startswith(b"data: "):
            yield name, place, orjson.loads(line[6:])


class Reader:
    """A visitor who asks over server-sent events, and resumes a stream that ends with `shutdown`."""

    def __init__(self, http: aiohttp.ClientSession, token: str, seen: Seen, number: int) -> None:
        self._http, self._seen = http, seen
        self._headers = {"Authorization": f"Bearer {token}"}
        self._chance = random.Random(number)

    async def run(self) -> None:
        while not self._seen.over.is_set():
            try:
                await self._ask()
            except aiohttp.ClientError as error:
                self._seen.broken.append(f"stream: {error!r}")
            await self._seen.think(self._chance)

    async def _ask(self) -> None:
        async with self._http.post("/v1/chat/stream", json={"message": _QUESTION}, headers=self._headers) as answer:
            end, place = await self._read(answer)
        while end == "shutdown":
            self._seen.ends["shutdown"] += 1
            message_id = place.partition(":")[0]
            headers = {**self._headers, "Last-Event-ID": place}
            async with self._http.get(f"/v1/chat/stream/{message_id}", headers=headers) as answer:
                end, place = await self._read(answer)
        self._seen.ends[end] += 1

    async def _read(self, answer: aiohttp.ClientResponse) -> tuple[str, str]:
        self._seen.statuses[answer.status] += 1
        name = place = ""
        if answer.status == 200:
            async for name, place, _ in events(answer):  # noqa: B007 - the last ones are what is wanted
                pass
        if name not in ("done", "error", "shutdown"):
            self._seen.broken.append(f"stream: status {answer.status}, last event {name!r}")
        return name, place


class Page:
    """A visitor with a socket, who comes back when the process behind it ends."""

    def __init__(self, http: aiohttp.ClientSession, token: str, seen: Seen, number: int) -> None:
        self._http, self._token, self._seen = http, token, seen
        self._conversation: str | None = None
        self._seq = 0
        self._chance = random.Random(1000 + number)

    async def run(self) -> None:
        while not self._seen.over.is_set():
            try:
                async with self._http.ws_connect("/ws") as socket:
                    self._seen.statuses[101] += 1
                    await self._talk(socket)
            except aiohttp.WSServerHandshakeError as error:
                self._seen.statuses[error.status] += 1
            except aiohttp.ClientError as error:
                self._seen.broken.append(f"socket: {error!r}")

    async def _talk(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        hello = {"type": "hello", "token": self._token, "after_seq": self._seq}
        if self._conversation:
            hello["conversation_id"] = self._conversation
        await socket.send_json(hello)
        asking = asyncio.create_task(self._ask(socket))
        stopping = False
        try:
            async for message in socket:
                frame = message.json()
                stopping = stopping or frame["type"] == "shutdown"
                self._note(frame)
        finally:
            asking.cancel()
        if not self._seen.over.is_set() and not (stopping and socket.close_code == 1012):
            self._seen.broken.append(f"socket: closed with {socket.close_code}")
        self._seen.ends["socket moved"] += stopping

    async def _ask(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while not self._seen.over.is_set():
            await self._seen.think(self._chance)
            await socket.send_json({"type": "message", "text": _QUESTION})
            await asyncio.sleep(_WORDS * _PAUSE)
        await socket.close()

    def _note(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "ready":
                self._conversation = frame["conversation_id"] or self._conversation
            case "message":
                self._conversation = frame.get("conversation_id") or self._conversation
                if frame["status"] != "streaming":
                    self._seq = max(self._seq, frame["seq"])
            case "done":
                self._seen.ends["socket done"] += 1
            case "error":
                self._seen.broken.append(f"socket: {frame}")


def _token(tenant: TenantRows, name: str) -> str:
    token, _ = issue_embed_token(
        TEST_KEYS, tenant_id=tenant.id, brand_id=tenant.brand_id, visitor={"id": name}, origin=None
    )
    return token


async def _visit(cluster: Cluster, tenant: TenantRows, seen: Seen) -> list[float]:
    """Let 200 visitors talk while every process is restarted; return how long each took to end."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(cluster.url, connector=connector) as http, asyncio.TaskGroup() as visitors:
        for number in range(_STREAMS):
            visitors.create_task(Reader(http, _token(tenant, f"r{number}"), seen, number).run())
        for number in range(_SOCKETS):
            visitors.create_task(Page(http, _token(tenant, f"p{number}"), seen, number).run())
        await asyncio.sleep(10)
        ended = await cluster.roll(pause=2)
        seen.over.set()
    return ended


async def test_nobody_sees_an_error(
    database: Database, tenant: TenantRows, database_url: str, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await add_knowledge(database, tenant, DOCUMENTS)
    seen, began = Seen(), time.monotonic()
    async with run_model_server() as model:
        model.words = [*(f"word{number} " for number in range(_WORDS - 1)), "[1]."]
        model.pause = _PAUSE
        async with running_cluster(database_url, model.url, data_dir) as cluster:
            ended = await _visit(cluster, tenant, seen)
    with capsys.disabled():
        print(f"\nstatuses {dict(seen.statuses)}, ends {dict(seen.ends)}, "
              f"processes ended in {max(ended):.1f} s at most, {time.monotonic() - began:.0f} s")  # fmt: skip
    assert not [status for status in seen.statuses if status >= 500], seen.statuses
    assert seen.broken == []
    assert max(ended) <= _ENDS_WITHIN
    assert min(ended) >= DRAIN_DELAY_SECONDS
    assert seen.ends["done"] >= _STREAMS
    assert seen.ends["shutdown"] > 0, f"no stream was cut: {seen.ends}"
    assert seen.ends["socket moved"] >= _SOCKETS, "every socket was on a gateway that ended"
