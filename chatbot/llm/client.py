"""A thin client of the OpenAI-compatible wire over aiohttp: one call, no retries (those are the gateway's)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import aiohttp
import orjson
from pydantic import SecretStr

from chatbot.core import correlation
from chatbot.llm.errors import EmptyAnswer, Malformed, RequestRejected, Silent, Stalled, StreamCut, Unreachable
from chatbot.llm.schemas import ChatRequest, Usage, estimate_tokens
from chatbot.llm.sse import EventParser
from chatbot.llm.wire import Chunk, Dialects, error_message, failure_of, read_chunk

_DONE = b"[DONE]"
_MAX_STREAM_BYTES = 32 * 1024 * 1024
_MAX_ERROR_BYTES = 16 * 1024
_BIG_BODY = 256 * 1024
_ADAPTATIONS = 3


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server. `base_url` ends before `/chat/completions`; local servers need no key."""

    base_url: str
    api_key: SecretStr | None = None

    def url(self, path: str) -> str:
        """Return the address of an operation."""
        return f"{self.base_url.rstrip('/')}/{path}"

    def headers(self) -> dict[str, str]:
        """Return the headers of a call made on behalf of the current request."""
        headers = {"Content-Type": "application/json", "User-Agent": "xin", correlation.HEADER: correlation.current()}
        if self.api_key:
            headers["Authorization"] = f"Bearer {self.api_key.get_secret_value()}"
        return headers


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Seconds a call may take. A slow stream that lives has no limit in all.

    Attributes:
        connect: until the connection stands.
        first_token: from the call's begin to the first sign of the model.
        idle: between two signs of the model; comments and blank events are none.
        tail: for the usage after the finish reason; then it is estimated.
        embed: for one batch of embeddings.
    """

    connect: float = 5.0
    first_token: float = 15.0
    idle: float = 20.0
    tail: float = 2.0
    embed: float = 60.0


class ModelClient:
    """Calls one endpoint; connections are kept alive and shared.

    Args:
        endpoint: the operator's endpoint. It is trusted: addresses that tenants set do not come here.
        session: a session to share; without one the client builds its own at the first call and closes it.
        limits: time limits.
    """

    def __init__(
        self, endpoint: Endpoint, *, session: aiohttp.ClientSession | None = None, limits: TimeLimits | None = None
    ) -> None:
        self.endpoint = endpoint
        self.limits = limits or TimeLimits()
        self.dialects = Dialects()
        self._given = session
        self._own: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections that this client opened."""
        if self._own:
            await self._own.close()
            self._own = None

    def stream_chat(self, request: ChatRequest, model: str) -> "ChatStream":
        """Begin one streamed call of a model; iterate the result, and `close()` it in any case."""
        return ChatStream(self, request, model)

    async def embed(self, texts: Sequence[str], model: str, *, within: float | None = None) -> list[list[float]]:
        """Embed one batch; vectors come in the order of the texts.

        Args:
            within: seconds it may take; None takes the client's limit.

        Raises:
            ModelCallFailed: any of its kinds.
        """
        body = orjson.dumps({"model": model, "input": list(texts), "encoding_format": "float"})
        limit = within or self.limits.embed
        try:
            async with asyncio.timeout(limit):
                response = await self.post("embeddings", body)
                async with response:
                    if response.status != 200:
                        raise failure_of(response.status, response.headers, await error_body(response))
                    return await _vectors(await response.read(), len(texts))
        except aiohttp.ClientError as error:
            raise StreamCut(f"the answer broke off ({type(error).__name__})") from error
        except TimeoutError:
            raise Silent(f"no embeddings within {limit:g} s") from None

    async def post(self, path: str, body: bytes) -> aiohttp.ClientResponse:
        """Send a request and return the response with its body unread.

        Raises:
            Unreachable: no response came.
        """
        try:
            return await self._session().post(
                self.endpoint.url(path), data=body, headers=self.endpoint.headers(), allow_redirects=False
            )
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"no response from the endpoint ({type(error).__name__})") from error

    def _session(self) -> aiohttp.ClientSession:
        if self._given:
            return self._given
        if self._own is None:
            self._own = new_session(self.limits)
        return self._own


def new_session(limits: TimeLimits) -> aiohttp.ClientSession:
    """Build a session for model calls: keep-alive, no cookies, time limits left to each call."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30, ttl_dns_cache=60),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.connect),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


class ChatStream:
    """One streamed call: an async iterator of pieces of text that ends when the answer is whole.

    Attributes:
        accepted: the endpoint answered 200, so the prompt is likely to be billed.
        finish_reason: `stop`, `length`, …; set at the end.
    """

    def __init__(self, client: ModelClient, request: ChatRequest, model: str) -> None:
        self._client = client
        self._limits = client.limits
        self._request = request
        self._model = model
        self._parser = EventParser()
        self._response: aiohttp.ClientResponse | None = None
        self._pieces: list[str] = []
        self._usage: Usage | None = None
        self._bytes = 0
        self._started = False
        self._over = False
        self._expired = False
        self._first_deadline = 0.0
        self.accepted = False
        self.finish_reason: str | None = None

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._pieces)

    @property
    def usage(self) -> Usage:
        """The provider's count when it gave one, else an estimate of what was taken and made so far."""
        if self._usage:
            return self._usage
        if not self.accepted:
            return Usage()
        return Usage(self._request.estimated_input_tokens(), estimate_tokens(self.text), estimated=True)

    def close(self) -> None:
        """Let go of the connection; one that still streams is closed at once."""
        if self._response is not None:
            self._response.close()
            self._response = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        if self._response is None and not self._over:
            self._first_deadline = _now() + self._limits.first_token
            self._response = await self._open()
        while not self._over:
            text = await self._next_text()
            if text:
                self._pieces.append(text)
                return text
        if not self._pieces:
            raise EmptyAnswer(f"the answer is empty (finish reason {self.finish_reason})")
        await self._release()
        raise StopAsyncIteration

    async def _open(self) -> aiohttp.ClientResponse:
        try:
            async with asyncio.timeout_at(self._first_deadline):
                response = await self._post_in_dialect()
        except TimeoutError:
            raise self._too_late() from None
        self.accepted = True
        return response

    async def _post_in_dialect(self) -> aiohttp.ClientResponse:
        dialects = self._client.dialects
        for _ in range(_ADAPTATIONS + 1):
            response = await self._client.post("chat/completions", dialects.body(self._request, self._model))
            if response.status == 200:
                return response
            async with response:
                body = await error_body(response)
            failure = failure_of(response.status, response.headers, body)
            if not isinstance(failure, RequestRejected) or not dialects.learn(self._model, error_message(body)):
                break
        raise failure

    async def _next_text(self) -> str:
        """Read until there is text or the end; each sign of the model starts the idle clock again."""
        deadline = self._first_deadline if not self._started else _now() + self._patience()
        while not self._over:
            chunk = await self._read(deadline)
            text, alive = self._take(self._parser.feed(chunk)) if chunk else self._take_the_rest()
            if text:
                return text
            if alive:
                deadline = _now() + self._patience()
        return ""

    def _patience(self) -> float:
        return self._limits.tail if self.finish_reason else self._limits.idle

    async def _read(self, deadline: float) -> bytes:
        """Return the next bytes; none at the end of the stream, or when only the tail is missing."""
        assert self._response is not None, "opened by __anext__"
        # A bare timer costs a fifth of `asyncio.timeout`, and this runs for every delta.
        timer = asyncio.get_running_loop().call_at(deadline, self._expire)
        try:
            chunk = await self._response.content.readany()
        except aiohttp.ClientError as error:
            if self.finish_reason:
                return b""
            if self._expired:
                raise self._too_late() from None
            raise StreamCut(f"the stream broke off ({type(error).__name__})") from error
        finally:
            timer.cancel()
        self._bytes += len(chunk)
        if self._bytes > _MAX_STREAM_BYTES:
            raise Malformed(f"the stream is longer than {_MAX_STREAM_BYTES} bytes")
        return chunk

    def _expire(self) -> None:
        """Close the connection, which wakes the reader with an error."""
        self._expired = True
        if self._response is not None:
            self._response.close()

    def _take(self, events: list[bytes]) -> tuple[str, bool]:
        pieces = []
        alive = False
        for payload in events:
            if payload == _DONE:
                self._over = True
                break
            if payload:
                chunk = read_chunk(payload)
                alive |= chunk.alive
                pieces.append(chunk.text)
                self._note(chunk)
        self._started |= alive
        return "".join(pieces), alive

    def _note(self, chunk: Chunk) -> None:
        self.finish_reason = chunk.finish_reason or self.finish_reason
        self._usage = chunk.usage or self._usage

    def _take_the_rest(self) -> tuple[str, bool]:
        try:
            taken = self._take(self._parser.close())
        except Malformed:
            taken = ("", False)  # an event cut in its middle
        if not self._over and not self.finish_reason:
            raise StreamCut("the stream ended without [DONE] and without a finish reason")
        self._over = True
        return taken

    def _too_late(self) -> Silent | Stalled:
        if self._started:
            return Stalled(f"the stream gave nothing for {self._limits.idle:g} s")
        return Silent(f"no first token within {self._limits.first_token:g} s")

    async def _release(self) -> None:
        """Hand the connection back for the next call when the server ends the body at once, else drop it."""
        if self._response is None:
            return
        try:
            async with asyncio.timeout(0.05):
                while await self._response.content.readany():
                    pass
            self._response.release()
            self._response = None
        except (aiohttp.ClientError, TimeoutError):
            self.close()


async def error_body(response: aiohttp.ClientResponse) -> bytes:
    """Read the beginning of an error's body; nothing when it does not come."""
    try:
        async with asyncio.timeout(2):
            return await response.content.read(_MAX_ERROR_BYTES)
    except (aiohttp.ClientError, TimeoutError):
        return b""


async def _vectors(body: bytes, count: int) -> list[list[float]]:
    # A batch of 128 is megabytes of JSON: parsed beside the event loop.
    parse = asyncio.to_thread(_parse_vectors, body, count) if len(body) > _BIG_BODY else None
    return await parse if parse else _parse_vectors(body, count)


def _parse_vectors(body: bytes, count: int) -> list[list[float]]:
    try:
        rows = sorted(orjson.loads(body)["data"], key=lambda row: int(row["index"]))
        vectors = [list(map(float, row["embedding"])) for row in rows]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise Malformed("the embeddings cannot be read") from None
    if len(vectors) != count:
        raise Malformed(f"{count} texts gave {len(vectors)} embeddings")
    if len({len(vector) for vector in vectors}) > 1 or (vectors and not vectors[0]):
        raise Malformed("the embeddings differ in dimension")
    return vectors


def _now() -> float:
    return asyncio.get_running_loop().time()
