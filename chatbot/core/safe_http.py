"""The only door to addresses that a user gave: public hosts only, checked again at every redirect.

A name is resolved once, by the hook below; aiohttp connects to exactly the addresses it returns, so
an answer that changes between check and connection (DNS rebinding) changes nothing.
"""

import asyncio
import ipaddress
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import ClassVar, Literal, Never, Self

import aiohttp

from chatbot.core.checked_resolver import CheckedResolver
from chatbot.core.errors import XinError
from chatbot.core.safe_address import Address, AddressRefused, is_metadata, is_public, parse_address
from chatbot.core.settings import Settings

MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BLOCK = 64 * 1024
_CLOSING = aiohttp.ClientWSTimeout(ws_close=2.0)
_USER_AGENT = "Xin/1.0 (+support knowledge)"

Lookup = Callable[[str], Awaitable[Sequence[str]]]


class OutgoingFailed(XinError):
    """A host that a user named did not answer as it should; the detail says how."""

    status: ClassVar[int] = 502
    code: ClassVar[str] = "outgoing_failed"
    title: ClassVar[str] = "The other host did not answer properly"


class OutgoingTimeout(OutgoingFailed):
    """The other host took too long."""

    status: ClassVar[int] = 504
    code: ClassVar[str] = "outgoing_timeout"
    title: ClassVar[str] = "The other host took too long"


class ResponseTooLarge(OutgoingFailed):
    """The answer is larger than allowed, as sent or unpacked."""

    code: ClassVar[str] = "response_too_large"
    title: ClassVar[str] = "The answer of the other host is too large"


class ResponseRefused(OutgoingFailed):
    """The answer is of a type or encoding that is not taken."""

    code: ClassVar[str] = "response_refused"
    title: ClassVar[str] = "The answer of the other host is of a type that is not taken"


class TooManyRedirects(OutgoingFailed):
    """The address leads on and on."""

    code: ClassVar[str] = "too_many_redirects"
    title: ClassVar[str] = "The address redirects too often"


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: the final URL, status, headers (names in lower case) and the unpacked body."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """`text/html` of `Text/HTML; charset=…`; empty where the host did not say."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class _Call:
    """What stays the same at each hop of one call."""

    method: str
    headers: Mapping[str, str]
    body: bytes | None
    max_bytes: int
    accept: tuple[str, ...]
    redirects: int
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class OutgoingLimits:
    """Times in seconds; `total` covers all redirects and the body. `connections` at once, `per_host` to one host."""

    total: float = 30.0
    connect: float = 10.0
    silence: float = 10.0
    connections: int = 50
    per_host: int = 4

    def timeouts(self, seconds: float | None) -> aiohttp.ClientTimeout:
        """The client's times for one call; `seconds` replaces `total` and `silence`."""
        return aiohttp.ClientTimeout(
            total=seconds or self.total, sock_connect=self.connect, sock_read=seconds or self.silence
        )


class SafeHttp:
    """A client for addresses from users. Keeps no cookies, reads no proxy variables.

    `allow_private_hosts` holds host names or IP addresses (lower case, without port) that the operator
    excepts from the check of addresses; cloud metadata stays refused. `ports` limits the ports, None allows all.
    """

    def __init__(
        self,
        *,
        allow_private_hosts: frozenset[str] = frozenset(),
        ports: frozenset[int] | None = None,
        limits: OutgoingLimits | None = None,
        lookup: Lookup | None = None,
    ) -> None:
        self._allowed = allow_private_hosts
        self._ports = ports
        self._limits = limits or OutgoingLimits()
        self._lookup = lookup or _system_lookup
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(self, url: str, *, max_bytes: int, accept: Sequence[str] = ()) -> Fetched:
        """GET, following at most five redirects. `accept` lists media types, or their beginnings (`text/`).

        Raises AddressRefused, or a kind of OutgoingFailed; an answer of any status is returned.
        """
        headers = {"Accept": ", ".join(f"{kind}*" if kind.endswith("/") else kind for kind in accept) or "*/*"}
        return await self._timed(_Call("GET", headers, None, max_bytes, tuple(accept), MAX_REDIRECTS), url)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int = 1_000_000,
        seconds: float | None = None,
    ) -> Fetched:
        """One request without redirects (a 3xx is returned), as for webhooks. Raises like `fetch`.

        Args:
            seconds: the host may be silent, and the whole may take, so long, in place of the limits: a long poll.
        """
        return await self._timed(_Call(method, dict(headers or {}), body, max_bytes, (), 0, seconds), url)

    @asynccontextmanager
    async def websocket(
        self, url: str, *, max_bytes: int = 4_000_000
    ) -> "AsyncIterator[aiohttp.ClientWebSocketResponse[Literal[True]]]":
        """Hold a socket (`wss://…`, `ws://…`), its address checked as `fetch` does; a redirect is refused.

        Its connection is its own: one held for days must not count to the limit of connections to a host.
        Raises AddressRefused, or a kind of OutgoingFailed when it cannot be opened.
        """
        address = self.check(url.replace("ws", "http", 1) if url.startswith(("ws://", "wss://")) else url)
        connector = aiohttp.TCPConnector(resolver=CheckedResolver(self.resolve), use_dns_cache=False)
        tracing = aiohttp.TraceConfig()
        tracing.on_request_redirect.append(_refuse_redirect)
        async with aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, trace_configs=[tracing]
        ) as session:
            try:
                async with asyncio.timeout(self._limits.connect):
                    opened = await session.ws_connect(
                        address.wire, headers={"User-Agent": _USER_AGENT}, max_msg_size=max_bytes, timeout=_CLOSING
                    )
            except TimeoutError as error:
                raise OutgoingTimeout(
                    f"The host opened no socket within {self._limits.connect:.0f} seconds."
                ) from error
            except aiohttp.ClientError as error:
                raise _refusal_behind(error) or OutgoingFailed(_readable(error)) from None
            async with opened:
                yield opened

    def check(self, url: str) -> Address:
        """What can be known of a URL without asking the network. Raises AddressRefused."""
        return self._checked(parse_address(url))

    async def _timed(self, call: "_Call", url: str) -> Fetched:
        total = self._limits.total if call.seconds is None else call.seconds
        try:
            async with asyncio.timeout(total):
                return await self._walk(call, url)
        except TimeoutError as error:
            raise OutgoingTimeout(_too_slow(error, self._limits, call.seconds)) from error
        except aiohttp.ClientError as error:
            if refused := _refusal_behind(error):
                raise refused from None
            raise OutgoingFailed(_readable(error)) from error

    async def _walk(self, call: "_Call", url: str) -> Fetched:
        address = self.check(url)
        for _ in range(call.redirects + 1):
            fetched = await self._send(call, address)
            location = fetched.headers.get("location")
            if call.redirects == 0 or fetched.status not in _REDIRECTS or not location:
                return fetched
            address = self._checked(address.follow(location))
        raise TooManyRedirects(f"The address redirects more than {call.redirects} times.")

    async def _send(self, call: "_Call", address: Address) -> Fetched:
        headers = {"User-Agent": _USER_AGENT, "Accept-Encoding": "gzip, deflate", **call.headers}
        async with self._client().request(
            call.method,
            address.wire,
            headers=headers,
            data=call.body,
            allow_redirects=False,
            timeout=self._limits.timeouts(call.seconds),
        ) as response:
            found = {name.lower(): value for name, value in response.headers.items()}
            fetched = Fetched(address.url, response.status, found, b"")
            if response.status in _REDIRECTS and "location" in found:
                return fetched
            if response.status < 400:
                _require_type(fetched.media_type, call.accept)
            content = await _read(response, found, call.max_bytes)
        return Fetched(address.url, response.status, found, content)

    def _checked(self, address: Address) -> Address:
        if self._ports is not None and address.port not in self._ports:
            raise AddressRefused(f"Port {address.port} is not allowed.")
        if address.literal is not None:
            self._require_public(address.host, address.literal)
        return address

    def _require_public(self, host: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
        if is_public(address) or (host in self._allowed and not is_metadata(address)):
            return
        why = "The address leads into a private or reserved network"
        if is_metadata(address):
            raise AddressRefused(f"{why}, where a cloud gives out secrets.")
        raise AddressRefused(f"{why}. Whoever runs the platform can allow {host} in XIN_FETCH_ALLOW_HOSTS.")

    async def resolve(self, host: str) -> list[str]:
        """The addresses of a host, all checked; the resolver hook calls this once per connection."""
        try:
            found = [ipaddress.ip_address(text.split("%")[0]) for text in await self._lookup(host)]
        except (OSError, UnicodeError, ValueError) as error:
            raise OSError(f"the host name {host} is not known") from error
        if not found:
            raise OSError(f"the host name {host} is not known")
        for address in found:
            self._require_public(host, address)
        return [str(address) for address in found]

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            # No DNS cache: the hook is asked, and checks, for each new connection.
            connector = aiohttp.TCPConnector(
                resolver=CheckedResolver(self.resolve),
                use_dns_cache=False,
                limit=self._limits.connections,
                limit_per_host=self._limits.per_host,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
            )
        return self._session


def open_safe_http(
    settings: Settings, limits: OutgoingLimits | None = None, *, also: frozenset[str] = frozenset()
) -> SafeHttp:
    """Return a process's client; the operator's exceptions are `XIN_FETCH_ALLOW_HOSTS`, and the hosts in `also`."""
    excepted = frozenset(host.lower() for host in settings.xin_fetch_allow_hosts) | also
    return SafeHttp(allow_private_hosts=excepted, limits=limits)


async def _refuse_redirect(*_: object) -> Never:
    """aiohttp follows redirects of sockets by itself, also to addresses that nobody has checked."""
    raise TooManyRedirects("The host redirects; a socket is opened only where it was asked for.")


async def _system_lookup(host: str) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _require_type(media_type: str, accept: Sequence[str]) -> None:
    if accept and media_type and not media_type.startswith(tuple(accept)):
        raise ResponseRefused(f"The host sent {media_type[:80]}, which is not taken here.")


async def _read(response: aiohttp.ClientResponse, headers: Mapping[str, str], max_bytes: int) -> bytes:
    """The body, unpacked while it streams; both its packed and its unpacked size are limited."""
    if (response.content_length or 0) > max_bytes:
        raise _too_large(max_bytes)
    unpack = _Unpacker(headers.get("content-encoding", ""), max_bytes)
    taken = 0
    body = bytearray()
    async for block in response.content.iter_chunked(_BLOCK):
        taken += len(block)
        body += unpack.feed(block, max_bytes - len(body))
        if taken > max_bytes or len(body) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(body)


class _Unpacker:
    """gzip and deflate, never giving more than it is asked for."""

    def __init__(self, encoding: str, max_bytes: int) -> None:
        encoding = encoding.strip().lower()
        if encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise ResponseRefused(f"The host packed its answer as {encoding[:40]}, which is not taken.")
        self._packed = encoding not in {"", "identity"}
        self._stream = zlib.decompressobj(wbits=47)
        self._fresh = True
        self._max_bytes = max_bytes

    def feed(self, block: bytes, room: int) -> bytes:
        if not self._packed:
            return block
        try:
            found = self._stream.decompress(block, room + 1)
        except zlib.error as error:
            if not self._fresh:
                raise ResponseRefused("The answer is packed and damaged.") from error
            # "deflate" without a zlib header: wrong by the standard, and common.
            self._stream = zlib.decompressobj(wbits=-15)
            found = self._raw(block, room)
        self._fresh = False
        if self._stream.unconsumed_tail:
            raise _too_large(self._max_bytes)
        return found

    def _raw(self, block: bytes, room: int) -> bytes:
        try:
            return self._stream.decompress(block, room + 1)
        except zlib.error as error:
            raise ResponseRefused("The answer is packed and damaged.") from error


def _too_large(max_bytes: int) -> ResponseTooLarge:
    return ResponseTooLarge(f"The answer is larger than {max_bytes:,} bytes.")


def _refusal_behind(error: BaseException | None) -> AddressRefused | None:
    """The resolver hook's refusal, which aiohttp wraps in errors of its own."""
    while error is not None and not isinstance(error, AddressRefused):
        error = error.__cause__
    return error


def _too_slow(error: TimeoutError, limits: OutgoingLimits, seconds: float | None) -> str:
    """A sentence that tells which of the times ran out; `seconds` as in `OutgoingLimits.timeouts`."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return f"The host took no connection within {limits.connect:g} seconds."
    if isinstance(error, aiohttp.SocketTimeoutError):
        return f"The host said nothing for {seconds or limits.silence:g} seconds."
    return f"The host gave no full answer within {seconds or limits.total:g} seconds."


def _readable(error: aiohttp.ClientError) -> str:
    """A sentence about a failed exchange, without addresses of our network."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "The host name of the address is not known."
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "The host's certificate is not valid."
    if isinstance(error, aiohttp.ClientSSLError):
        return "No secure connection to the host could be made."
    if isinstance(error, aiohttp.ClientConnectorError):
        return "The host could not be reached."
    return "The host broke off or sent an answer that is not HTTP."
