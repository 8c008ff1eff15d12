"""The door for user-given addresses, against a real server on this machine."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chatbot.core.entered_address import vet
from chatbot.core.errors import InvalidInput
from chatbot.core.safe_address import AddressRefused
from chatbot.core.safe_http import (
    OutgoingFailed,
    OutgoingLimits,
    OutgoingTimeout,
    ResponseRefused,
    ResponseTooLarge,
    SafeHttp,
    TooManyRedirects,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HOST = frozenset({"site.test"})


async def to_loopback(host: str) -> Sequence[str]:
    """site.test and its like live here; `inside.test` is a private address the operator did not except."""
    return ["127.0.0.1"]


class Site:
    """A server that records what reached it."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.requests: list[web.Request] = []
        self.server: TestServer | None = None

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        handler = self.handlers.get(request.path)
        return await handler(request) if handler else web.Response(text=f"hello from {request.path}")

    def url(self, path: str, host: str = "site.test") -> str:
        assert self.server is not None
        return f"http://{host}:{self.server.port}{path}"

    def answers(self, path: str, **response: object) -> None:
        async def handler(request: web.Request) -> web.StreamResponse:
            return web.Response(**response)  # type: ignore[arg-type]

        self.handlers[path] = handler

    def redirects(self, path: str, to: str, status: int = 302) -> None:
        self.answers(path, status=status, headers={"Location": to})


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", site.serve)
    async with TestServer(app) as server:
        site.server = server
        yield site


@pytest.fixture
async def http() -> AsyncIterator[SafeHttp]:
    async with SafeHttp(allow_private_hosts=HOST, lookup=to_loopback) as client:
        yield client


async def test_an_excepted_host_is_reached(site: Site, http: SafeHttp) -> None:
    fetched = await http.fetch(site.url("/a"), max_bytes=100)
    assert (fetched.status, fetched.body, fetched.media_type) == (200, b"hello from /a", "text/plain")


@pytest.mark.parametrize("host", ["inside.test", "127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1"])
async def test_a_private_host_is_never_connected_to(site: Site, http: SafeHttp, host: str) -> None:
    with pytest.raises(AddressRefused):
        await http.fetch(site.url("/", host), max_bytes=100)
    assert site.requests == []


async def test_real_lookup_of_localhost_is_refused(site: Site) -> None:
    async with SafeHttp() as client:
        with pytest.raises(AddressRefused, match="private or reserved"):
            await client.fetch(site.url("/", "localhost"), max_bytes=100)
    assert site.requests == []


async def test_what_is_to_be_stored_is_refused_as_it_would_be_on_the_way_out() -> None:
    async def known(host: str) -> Sequence[str]:
        found = {"inside.test": ["10.0.0.5"], "meta.test": ["169.254.169.254"], "shop.test": ["93.184.216.34"]}
        if host not in found:
            raise OSError("no such name")
        return found[host]

    for host, words in (("inside.test", "allow inside.test in XIN_FETCH_ALLOW_HOSTS"), ("meta.test", "secrets")):
        with pytest.raises(InvalidInput, match=words) as refused:
            await vet(SafeHttp(lookup=known), f"http://{host}:9000/in", "url")
        assert [error.field for error in refused.value.errors] == ["url"]
    for url in ("https://shop.test/in", "https://not-yet.test/in"):
        await vet(SafeHttp(lookup=known), url, "url")
    excepting = SafeHttp(lookup=known, allow_private_hosts=frozenset({"inside.test", "meta.test"}))
    await vet(excepting, "http://inside.test:9000/in", "url")
    with pytest.raises(InvalidInput, match="cloud gives out secrets"):
        await vet(excepting, "http://meta.test/", "url")


async def test_one_private_answer_among_public_ones_refuses_the_host(site: Site) -> None:
    async def mixed(host: str) -> Sequence[str]:
        return ["93.184.216.34", "127.0.0.1"]

    async with SafeHttp(lookup=mixed) as client:
        with pytest.raises(AddressRefused):
            await client.fetch(site.url("/", "mixed.test"), max_bytes=100)


async def test_rebinding_is_asked_once_and_checked_again(site: Site) -> None:
    answers = [["127.0.0.1"], ["169.254.169.254"], ["127.0.0.1"]]
    asked: list[str] = []

    async def rebinding(host: str) -> Sequence[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    site.answers("/", text="first", headers={"Connection": "close"})
    async with SafeHttp(allow_private_hosts=frozenset({"rebind.test"}), lookup=rebinding) as client:
        assert (await client.fetch(site.url("/", "rebind.test"), max_bytes=100)).body == b"first"
        assert asked == ["rebind.test"]
        with pytest.raises(AddressRefused):
            await client.fetch(site.url("/", "rebind.test"), max_bytes=100)
    assert len(site.requests) == 1


@pytest.mark.parametrize("hops", range(5))
@pytest.mark.parametrize("target", ["http://127.0.0.1:{port}/secret", "http://inside.test:{port}/secret", "file:///etc/passwd",
                                    "http://user@site.test/", "http://169.254.169.254/latest"])  # fmt: skip
async def test_redirects_are_checked_at_each_hop(site: Site, http: SafeHttp, hops: int, target: str) -> None:
    assert site.server is not None
    for hop in range(hops):
        site.redirects(f"/{hop}", f"/{hop + 1}", status=[301, 302, 303, 307, 308][hop])
    site.redirects(f"/{hops}", target.format(port=site.server.port))
    with pytest.raises(AddressRefused):
        await http.fetch(site.url("/0"), max_bytes=100)
    assert len(site.requests) == hops + 1
    assert all(request.path != "/secret" for request in site.requests)


async def test_redirects_end_after_five(site: Site, http: SafeHttp) -> None:
    for hop in range(10):
        site.redirects(f"/{hop}", f"/{hop + 1}")
    site.answers("/5", text="end")
    assert (await http.fetch(site.url("/0"), max_bytes=100)).url == site.url("/5")
    site.redirects("/5", "/6")
    with pytest.raises(TooManyRedirects):
        await http.fetch(site.url("/0"), max_bytes=100)


async def test_sizes_are_limited_while_they_stream(site: Site, http: SafeHttp) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 10_000)

    site.handlers["/endless"] = endless
    site.answers("/announced", body=b"x" * 5_000)
    for path in ("/endless", "/announced"):
        with pytest.raises(ResponseTooLarge, match="1,000 bytes"):
            await http.fetch(site.url(path), max_bytes=1_000)
    assert len((await http.fetch(site.url("/announced"), max_bytes=5_000)).body) == 5_000


async def test_a_bomb_is_stopped_by_its_unpacked_size(site: Site, http: SafeHttp) -> None:
    site.answers("/bomb", body=gzip.compress(b"0" * 50_000_000), headers={"Content-Encoding": "gzip"})
    with pytest.raises(ResponseTooLarge):
        await http.fetch(site.url("/bomb"), max_bytes=1_000_000)


@pytest.mark.parametrize("wbits", [31, 15, -15])
async def test_packed_answers_are_unpacked(site: Site, http: SafeHttp, wbits: int) -> None:
    packer = zlib.compressobj(wbits=wbits)
    body = packer.compress(b"text " * 1000) + packer.flush()
    site.answers("/packed", body=body, headers={"Content-Encoding": "gzip" if wbits == 31 else "deflate"})
    assert (await http.fetch(site.url("/packed"), max_bytes=5_000)).body == b"text " * 1000


async def test_types_and_encodings_not_taken(site: Site, http: SafeHttp) -> None:
    site.answers("/png", body=b"\x89PNG", content_type="image/png")
    site.answers("/br", body=b"x", headers={"Content-Encoding": "br"})
    site.answers("/broken", body=b"not gzip at all", headers={"Content-Encoding": "gzip"})
    with pytest.raises(ResponseRefused, match="image/png"):
        await http.fetch(site.url("/png"), max_bytes=100, accept=("text/html", "text/"))
    with pytest.raises(ResponseRefused):
        await http.fetch(site.url("/br"), max_bytes=100)
    with pytest.raises(ResponseRefused):
        await http.fetch(site.url("/broken"), max_bytes=100)


async def test_time_is_limited(site: Site) -> None:
    async def silent(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    site.handlers["/silent"] = silent
    async with SafeHttp(allow_private_hosts=HOST, lookup=to_loopback, limits=OutgoingLimits(total=0.2)) as client:
        with pytest.raises(OutgoingTimeout, match=r"no full answer within 0\.2 seconds"):
            await client.fetch(site.url("/silent"), max_bytes=100)


async def test_nothing_is_carried_along(site: Site, http: SafeHttp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    site.answers("/cookie", text="x", headers={"Set-Cookie": "session=secret"})
    await http.fetch(site.url("/cookie"), max_bytes=100)
    await http.fetch(site.url("/after"), max_bytes=100)
    assert "Cookie" not in site.requests[-1].headers
    assert "Authorization" not in site.requests[-1].headers


async def test_request_sends_a_body_and_follows_nothing(site: Site, http: SafeHttp) -> None:
    seen: list[bytes] = []

    async def hook(request: web.Request) -> web.StreamResponse:
        seen.append(await request.read())
        return web.Response(status=307, headers={"Location": "http://127.0.0.1/"})

    site.handlers["/hook"] = hook
    answer = await http.request("POST", site.url("/hook"), headers={"X-Signature": "abc"}, body=b"{}")
    assert (answer.status, seen) == (307, [b"{}"])
    assert site.requests[0].headers["X-Signature"] == "abc"
    with pytest.raises(AddressRefused):
        await http.request("POST", site.url("/hook", "inside.test"), body=b"{}")


async def test_ports_can_be_limited(site: Site) -> None:
    async with SafeHttp(allow_private_hosts=HOST, lookup=to_loopback, ports=frozenset({443})) as client:
        with pytest.raises(AddressRefused, match="Port"):
            await client.fetch(site.url("/"), max_bytes=10)


async def test_unknown_and_unreachable_hosts_are_failures_with_a_sentence(http: SafeHttp) -> None:
    async def nowhere(host: str) -> Sequence[str]:
        raise OSError("no such name")

    async with SafeHttp(lookup=nowhere) as client:
        with pytest.raises(OutgoingFailed, match="not known"):
            await client.fetch("http://nowhere.test/", max_bytes=10)
    with pytest.raises(OutgoingFailed, match="could not be reached"):
        await http.fetch("http://site.test:1/", max_bytes=10)


async def test_a_long_poll_has_its_own_time(site: Site) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(1.0)
        return web.Response(text="at last")

    site.handlers["/slow"] = slow
    hasty = OutgoingLimits(silence=0.1)
    async with SafeHttp(allow_private_hosts=HOST, lookup=to_loopback, limits=hasty) as client:
        assert (await client.request("POST", site.url("/slow"), seconds=60)).body == b"at last"
        with pytest.raises(OutgoingTimeout, match=r"said nothing for 0\.1 seconds"):
            await client.request("POST", site.url("/slow"))


async def test_as_many_connections_to_one_host_as_are_allowed(site: Site) -> None:
    together = asyncio.Barrier(6)

    async def meet(request: web.Request) -> web.StreamResponse:
        await together.wait()
        return web.Response()

    site.handlers["/meet"] = meet
    many = OutgoingLimits(per_host=6)
    async with SafeHttp(allow_private_hosts=HOST, lookup=to_loopback, limits=many) as client:
        answers = await asyncio.gather(*(client.request("POST", site.url("/meet")) for _ in range(6)))
    assert [answer.status for answer in answers] == [200] * 6
