"""Sockets to addresses that a user or a provider named: checked like everything else, never redirected."""

from collections.abc import AsyncIterator, Sequence

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from chatbot.core.safe_address import AddressRefused
from chatbot.core.safe_http import OutgoingFailed, OutgoingLimits, OutgoingTimeout, SafeHttp, TooManyRedirects

HOST = frozenset({"127.0.0.1"})


async def _echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(f"{request.query_string} {message.data}")
    return socket


async def _redirect(request: web.Request) -> web.Response:
    raise web.HTTPFound("/echo")


async def _page(request: web.Request) -> web.Response:
    return web.Response(text="no socket here")


@pytest.fixture
async def server() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/echo", _echo)
    app.router.add_get("/redirect", _redirect)
    app.router.add_get("/page", _page)
    async with TestServer(app) as started:
        yield f"ws://127.0.0.1:{started.port}"


async def test_a_socket_is_held(server: str) -> None:
    async with SafeHttp(allow_private_hosts=HOST) as client, client.websocket(f"{server}/echo?v=10") as socket:
        await socket.send_str("hi")
        assert await socket.receive_str() == "v=10 hi"


async def test_many_sockets_to_one_host_leave_room_for_requests(server: str) -> None:
    async with SafeHttp(allow_private_hosts=HOST) as client:
        opened = [client.websocket(f"{server}/echo") for _ in range(6)]
        sockets = [await one.__aenter__() for one in opened]
        fetched = await client.request("GET", f"{server.replace('ws', 'http', 1)}/page")
        assert fetched.status == 200
        assert not any(socket.closed for socket in sockets)
        for one in opened:
            await one.__aexit__(None, None, None)
        assert all(socket.closed for socket in sockets)


async def test_private_addresses_are_refused(server: str) -> None:
    async def inside(host: str) -> Sequence[str]:
        return ["127.0.0.1"]

    async with SafeHttp(lookup=inside) as client:
        for url in (f"{server}/echo", f"ws://inside.example:{server.rpartition(':')[2]}/echo", "ws://169.254.169.254/"):
            with pytest.raises(AddressRefused):
                async with client.websocket(url):
                    pass


async def test_a_redirect_is_not_followed(server: str) -> None:
    async with SafeHttp(allow_private_hosts=HOST) as client:
        with pytest.raises(TooManyRedirects):
            async with client.websocket(f"{server}/redirect"):
                pass


async def test_what_is_no_socket_is_an_error(server: str) -> None:
    async with SafeHttp(allow_private_hosts=HOST) as client:
        for url in (f"{server}/page", f"{server}/nothing", "ws://127.0.0.1:9/"):
            with pytest.raises(OutgoingFailed) as failed:
                async with client.websocket(url):
                    pass
            assert "127.0.0.1" not in failed.value.detail


async def test_a_message_above_the_limit_closes_the_socket(server: str) -> None:
    async with SafeHttp(allow_private_hosts=HOST) as client:
        async with client.websocket(f"{server}/echo", max_bytes=10) as socket:
            await socket.send_str("more than ten characters")
            assert (await socket.receive()).type is WSMsgType.ERROR
            assert socket.closed


async def test_a_host_that_says_nothing_is_left() -> None:
    async def silent(request: web.Request) -> web.Response:
        await request.loop.create_future()
        return web.Response()

    app = web.Application()
    app.router.add_get("/", silent)
    async with TestServer(app, shutdown_timeout=0.1) as started:
        limits = OutgoingLimits(connect=0.1)
        async with SafeHttp(allow_private_hosts=HOST, limits=limits) as client:
            with pytest.raises(OutgoingTimeout):
                async with client.websocket(f"ws://127.0.0.1:{started.port}/"):
                    pass
