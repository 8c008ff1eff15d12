"""Serve ASGI applications in this event loop, and drain them on SIGTERM."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI

from chatbot.apps.sockets import MAX_FRAME_BYTES, PING_SECONDS, SocketProtocol
from chatbot.core.background import end
from chatbot.core.logging import get_logger
from chatbot.core.memory import give_back_freed_memory
from chatbot.core.settings import ConfigurationError

log = get_logger(__name__)
DRAIN_SECONDS = 10
KEEP_ALIVE_SECONDS = 75
"""Longer than proxies keep theirs (60 s, mostly): whoever closes first must not be the one that is just being asked."""


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: one handler drains the whole process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(host: str, port: int, *, variable: str) -> socket.socket:
    """Bind a listening socket.

    Raises:
        ConfigurationError: the port is taken or not allowed; the message names the variable.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = "is taken by another process" if error.errno in (48, 98) else str(error.strerror)
        raise ConfigurationError(f"{variable}: port {port} on {host} {reason}") from None
    listener.set_inheritable(False)
    return listener


@asynccontextmanager
async def serve(
    app: FastAPI,
    listener: socket.socket,
    *,
    trusted_proxies: Sequence[str] = ("127.0.0.1",),
    drain_delay: float = 0,
) -> AsyncIterator[None]:
    """Serve one application as `serve_all` does."""
    async with serve_all([(app, listener)], trusted_proxies=trusted_proxies, drain_delay=drain_delay):
        yield


@asynccontextmanager
async def serve_all(
    doors: Sequence[tuple[FastAPI, socket.socket]],
    *,
    trusted_proxies: Sequence[str] = ("127.0.0.1",),
    drain_delay: float = 0,
) -> AsyncIterator[None]:
    """Serve applications, each on its bound socket, while the block runs; then drain them, all at the same time.

    Draining: readiness fails; after `drain_delay` no connection is taken any more, streams are told to end with a
    `shutdown` event, requests get `DRAIN_SECONDS`.

    Args:
        trusted_proxies: addresses whose `X-Forwarded-For` names the client; everybody else's is ignored.
        drain_delay: seconds in which what stands in front can see that readiness fails, and is still served.
    """
    servers = [_server(app, trusted_proxies) for app, _ in doors]
    tasks = [
        asyncio.create_task(server.serve(sockets=[listener]), name="http")
        for server, (_, listener) in zip(servers, doors, strict=True)
    ]
    for server, task in zip(servers, tasks, strict=True):
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn tells by an attribute only
            await asyncio.sleep(0.01)
    memory = asyncio.create_task(give_back_freed_memory(), name="memory")
    try:
        yield
    finally:
        await end(memory)
        for app, _ in doors:
            app.state.health.draining = True
        await asyncio.sleep(drain_delay)
        for app, _ in doors:
            app.state.draining.set()
        await asyncio.sleep(0)
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*tasks)


def _server(app: FastAPI, trusted_proxies: Sequence[str]) -> _Server:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ws=SocketProtocol,
        ws_per_message_deflate=False,
        ws_max_size=MAX_FRAME_BYTES,
        ws_ping_interval=PING_SECONDS,
        forwarded_allow_ips=list(trusted_proxies),
        timeout_graceful_shutdown=DRAIN_SECONDS,
        lifespan="off",
        interface="asgi3",
    )
    return _Server(config)


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM or SIGINT sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
