"""A model server that does exactly what a test scripts, down to the byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.clock import go_on

Script = Callable[["Call"], Awaitable[None]]
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


@dataclass
class Call:
    """One request, and the connection to answer it on."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    writer: asyncio.StreamWriter
    connection: int
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()


@dataclass
class ModelServer:
    """Answers each call by the next script; the last one repeats."""

    base_url: str
    scripts: list[Script] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    connections: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def then(self, *scripts: Script) -> None:
        """Set what the next calls get."""
        self.scripts = list(scripts)
        self.calls.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self.connections += 1
        number = self.connections
        self.writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                call = await _read(reader, writer, number)
                script = self.scripts[min(len(self.calls), len(self.scripts) - 1)]
                self.calls.append(call)
                if await self._answer(script, call, reader):
                    break
        writer.close()

    async def _answer(self, script: Script, call: Call, reader: asyncio.StreamReader) -> bool:
        """Run a script; True when the connection is over."""
        if getattr(script, "keeps", False):
            await script(call)
            return False
        watch = asyncio.create_task(_watch(reader, call.gone))
        with suppress(ConnectionError):
            await script(call)
        watch.cancel()
        return True


async def _watch(reader: asyncio.StreamReader, gone: asyncio.Event) -> None:
    with suppress(ConnectionError):
        await reader.read(1)
    gone.set()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> Call:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in head[1:] if line)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Call(head[0].split()[1], headers, orjson.loads(body), writer, connection)


@asynccontextmanager
async def model_server() -> AsyncIterator[ModelServer]:
    """A server on a free port."""
    served = ModelServer("")
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield served
    finally:
        server.close()
        for writer in served.writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)  # the handlers see it and end


def event(data: object) -> bytes:
    """One event."""
    return b"data: " + orjson.dumps(data) + b"\n\n"


def delta(text: str, finish: str | None = None) -> bytes:
    """A piece of text."""
    return event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]})


USAGE = event({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}})
DONE = b"data: [DONE]\n\n"
WORDS = ("Hello", " dear", " سلام", " ¿qué", " 🙂")


def whole(words: Sequence[str] = WORDS, *, usage: bytes = USAGE, done: bytes = DONE) -> bytes:
    """A whole good stream, without its head."""
    return b"".join(map(delta, words)) + delta("", "stop") + usage + done


def answers(data: bytes | None = None) -> Script:
    """A stream that comes at once; the connection then ends."""

    async def script(call: Call) -> None:
        await call.send(STREAM_HEAD + (whole() if data is None else data))

    return script


def keeps_alive(data: bytes | None = None) -> Script:
    """A chunked stream on a connection that stays open."""

    async def script(call: Call) -> None:
        body = whole() if data is None else data
        await call.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        await call.send(f"{len(body):x}\r\n".encode() + body + b"\r\n")
        await call.send(b"0\r\n\r\n")

    script.keeps = True  # type: ignore[attr-defined]
    return script


def refuses(status: int, body: object = None, **headers: str) -> Script:
    """An error answer."""

    async def script(call: Call) -> None:
        data = orjson.dumps(body or {"error": {"message": "no", "type": "test_error"}})
        extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} No\r\nContent-Length: {len(data)}\r\nConnection: close\r\n{extra}\r\n"
        await call.send(head.encode() + data)

    return script


def paced(pieces: Sequence[bytes], seconds: float) -> Script:
    """A stream with a pause before each piece."""

    async def script(call: Call) -> None:
        await call.send(STREAM_HEAD)
        for piece in pieces:
            await asyncio.sleep(seconds)
            await call.send(piece)

    return script


def slow(pieces: Sequence[bytes], seconds: float) -> Script:
    """A stream with a long time before each piece, which passes by the loop's clock only."""

    async def script(call: Call) -> None:
        await call.send(STREAM_HEAD)
        for piece in pieces:
            await _read_by_now()
            go_on(seconds)
            await call.send(piece)
        await call.gone.wait()

    return script


def silent(head: bytes = b"", *, seconds: float | None = None) -> Script:
    """A head or nothing, until the client goes; so many seconds pass by the loop's clock."""

    async def script(call: Call) -> None:
        if head:
            await call.send(head)
        await _read_by_now()
        if seconds:
            go_on(seconds)
        await call.gone.wait()

    return script


async def _read_by_now() -> None:
    """Return when the client, which runs in the same loop, has read what was sent and waits again."""
    for _ in range(5):
        await asyncio.sleep(0.005)


async def hangs_up(call: Call) -> None:
    """The connection is closed without an answer."""
    call.writer.close()
