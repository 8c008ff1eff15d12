"""Thousands of light sockets in one process, told what to do by lines of JSON on standard input.

The first line is a `Task`; the answer is a line once all are connected. An empty line asks for the report, which is the
last line. Sans-I/O of `websockets` on plain asyncio protocols: a socket has no task of its own.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import cast

import orjson
import uvloop
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

_AT_ONCE = 100
_PATIENCE = 60.0


@dataclass
class Task:
    """Where to connect, and what each socket says first."""

    url: str
    hellos: list[str]


@dataclass
class Report:
    """What became of the sockets; `received` holds message id and monotonic time of every message frame."""

    open: int = 0
    dropped: int = 0
    received: list[tuple[str, float]] = field(default_factory=list)


class Peer(asyncio.Protocol):
    """One socket: shakes hands, says hello, waits for `ready`, notes messages, answers pings."""

    def __init__(self, url: str, hello: str, report: Report) -> None:
        self._protocol = ClientProtocol(parse_uri(url))
        self._hello = hello
        self._report = report
        self._greeted = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._frame(event)
            elif not self._greeted:
                self._greeted = True
                self._protocol.send_text(self._hello.encode())
        self._flush()

    def connection_lost(self, _error: Exception | None) -> None:
        if self.ready.done():
            self._report.open -= 1
            self._report.dropped += 1
        else:
            self.ready.set_exception(ConnectionError("closed before it was ready"))

    def _frame(self, frame: Frame) -> None:
        if frame.opcode is not Opcode.TEXT:
            return
        now = time.monotonic()
        told = orjson.loads(frame.data)
        if told["type"] == "ready":
            self._report.open += 1
            self.ready.set_result(None)
        elif told["type"] == "message":
            self._report.received.append((told["id"], now))

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            self._transport.write(data) if data else self._transport.close()


async def _connect(task: Task, report: Report) -> list[Peer]:
    loop = asyncio.get_running_loop()
    address = parse_uri(task.url)
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(hello: str) -> Peer:
        async with slots, asyncio.timeout(_PATIENCE):
            _, peer = await loop.create_connection(lambda: Peer(task.url, hello, report), address.host, address.port)
            await peer.ready
        return peer

    return await asyncio.gather(*(one(hello) for hello in task.hellos))


async def _run() -> None:
    loop = asyncio.get_running_loop()
    task = Task(**json.loads(await loop.run_in_executor(None, sys.stdin.readline)))
    report = Report()
    kept = await _connect(task, report)
    _say(asdict(report))
    await loop.run_in_executor(None, sys.stdin.readline)
    _say({**asdict(report), "kept": len(kept)})


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(_run())
