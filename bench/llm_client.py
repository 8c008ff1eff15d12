"""CPU of the model client per stream of 60 deltas, bare and through the whole gateway: `python -m bench.llm_client`.

The model server runs in a process of its own, so that `time.process_time()` here is the client's alone.
"""

import argparse
import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection

import orjson
import uvloop

from chatbot.core.ids import new_id
from chatbot.llm.budgets import Ledger
from chatbot.llm.client import Endpoint, ModelClient
from chatbot.llm.schemas import ChatMessage, ChatRequest, Purpose
from chatbot.llm.service import ModelGateway

DELTAS = 60
REQUEST = ChatRequest((ChatMessage("system", "Answer. " * 200), ChatMessage("user", "How?")), Purpose.ANSWER)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def events() -> list[bytes]:
    """One event per delta as OpenAI sends them, then usage and the end."""
    frame = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "usage": None}
    words = [{"index": 0, "delta": {"content": f"word{i} "}, "finish_reason": None} for i in range(DELTAS)]
    bodies = [frame | {"choices": [choice]} for choice in (*words, {"index": 0, "delta": {}, "finish_reason": "stop"})]
    bodies.append(frame | {"choices": [], "usage": {"prompt_tokens": 400, "completion_tokens": 60}})
    return [b"data: " + orjson.dumps(body) + b"\n\n" for body in bodies] + [b"data: [DONE]\n\n"]


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pause: float | None) -> None:
    chunks = [f"{len(event):x}\r\n".encode() + event + b"\r\n" for event in events()]
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.split(b":")[1]))
            writer.write(HEAD)
            for chunk in chunks:
                writer.write(chunk)
                if pause is not None:
                    await asyncio.sleep(pause)
            writer.write(b"0\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def serve(pipe: Connection, pause: float | None) -> None:
    """Run the model server of the measurement."""

    async def run() -> None:
        server = await asyncio.start_server(lambda r, w: _answer(r, w, pause), "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(run())


async def measure(one: Callable[[], Awaitable[None]], streams: int, at_once: int) -> float:
    """Return the milliseconds of CPU per stream."""

    async def worker(count: int) -> None:
        for _ in range(count):
            await one()

    await asyncio.gather(*(worker(2) for _ in range(at_once)))
    begun = time.process_time()
    await asyncio.gather(*(worker(streams // at_once) for _ in range(at_once)))
    return (time.process_time() - begun) / (streams // at_once * at_once) * 1000


async def compare(port: int, streams: int, at_once: int) -> None:
    """Measure reading the same bytes bare, with the client, and through the gateway."""
    client = ModelClient(Endpoint(f"http://127.0.0.1:{port}/v1"))
    gateway = ModelGateway(client, model="m")
    tenant = new_id()

    async def bare() -> None:
        async with await client.post("chat/completions", client.dialects.body(REQUEST, "m")) as response:
            while await response.content.readany():
                pass

    async def through_client() -> None:
        stream = client.stream_chat(REQUEST, "m")
        async for _ in stream:
            pass
        stream.close()

    async def through_gateway() -> None:
        await gateway.complete(REQUEST, Ledger(tenant))

    for name, one in (("bare aiohttp", bare), ("client", through_client), ("gateway", through_gateway)):
        print(f"  {name:<14}{await measure(one, streams, at_once):6.2f} ms CPU per stream")
    await client.close()


def main() -> None:
    """Measure with every delta in a packet of its own, and with all at once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=400)
    parser.add_argument("--at-once", type=int, default=10)
    options = parser.parse_args()
    for name, pause in (("each delta on its own, 1 ms apart", 0.001), ("all at once", None)):
        ours, theirs = multiprocessing.Pipe()
        server = multiprocessing.Process(target=serve, args=(theirs, pause), daemon=True)
        server.start()
        print(f"{DELTAS} deltas, {name}; {options.at_once} streams at a time:")
        uvloop.run(compare(ours.recv(), options.streams, options.at_once))
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
