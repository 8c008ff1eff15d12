"""One call over real HTTP, with every fault at its exact place."""

import asyncio
import time
from dataclasses import replace

import pytest
from pydantic import SecretStr

from chatbot.core import correlation
from chatbot.llm.client import ChatStream, Endpoint, ModelClient
from chatbot.llm.errors import (
    EmptyAnswer,
    KeyRefused,
    Malformed,
    ModelMissing,
    ProviderFailed,
    RequestRejected,
    Silent,
    Stalled,
    StreamCut,
    Unreachable,
)
from chatbot.llm.schemas import ChatRequest, Usage
from tests.clock import go_on
from tests.integration.llm.conftest import LIMITS
from tests.integration.llm.model_server import (
    DONE,
    STREAM_HEAD,
    USAGE,
    WORDS,
    Call,
    ModelServer,
    answers,
    delta,
    event,
    hangs_up,
    keeps_alive,
    paced,
    refuses,
    silent,
    slow,
    whole,
)

TEXT = "".join(WORDS)


async def read(client: ModelClient, request: ChatRequest) -> ChatStream:
    """Read a stream to its end."""
    stream = client.stream_chat(request, "m")
    try:
        async for _ in stream:
            pass
    finally:
        stream.close()
    return stream


async def test_a_good_stream(server: ModelServer, request_: ChatRequest) -> None:
    server.then(answers())
    sent = correlation.begin("turn-42")
    async with ModelClient(Endpoint(server.base_url + "/", SecretStr("sk-test"))) as client:
        stream = await read(client, request_)
    assert (stream.text, stream.finish_reason, stream.usage) == (TEXT, "stop", Usage(11, 5))
    call = server.calls[0]
    assert call.path == "/v1/chat/completions"
    assert call.headers["authorization"] == "Bearer sk-test"
    assert call.headers["x-request-id"] == sent == "turn-42"
    assert call.body["stream_options"] == {"include_usage": True}
    assert call.body["messages"][1] == {"role": "user", "content": "سلام"}


async def test_no_key_sends_no_authorization(server: ModelServer, client: ModelClient, request_: ChatRequest) -> None:
    server.then(answers())
    await read(client, request_)
    assert "authorization" not in server.calls[0].headers


async def test_every_byte_on_its_own(server: ModelServer, client: ModelClient, request_: ChatRequest) -> None:
    async def script(call: Call) -> None:
        await call.send(STREAM_HEAD)
        for byte in b": hello\r\n\r\n" + whole(("سلام", " 🙂")).replace(b"\n", b"\r\n"):
            await call.send(bytes([byte]))
            await asyncio.sleep(0)

    server.then(script)
    stream = await read(client, request_)
    assert stream.text == "سلام 🙂"


async def test_the_connection_is_used_again(server: ModelServer, client: ModelClient, request_: ChatRequest) -> None:
    server.then(keeps_alive())
    for _ in range(5):
        assert (await read(client, request_)).text == TEXT
    assert server.connections == 1


@pytest.mark.parametrize(
    ("data", "finish"),
    [
        (whole(usage=b""), "stop"),
        (whole(usage=b"", done=b""), "stop"),
        (whole(usage=b"", done=b"data: [DONE]"), "stop"),
        (b"".join(map(delta, WORDS)) + DONE, None),
    ],
)
async def test_a_provider_that_counts_nothing_is_estimated(
    server: ModelServer, client: ModelClient, request_: ChatRequest, data: bytes, finish: str | None
) -> None:
    server.then(answers(data))
    stream = await read(client, request_)
    assert stream.text == TEXT
    assert stream.finish_reason == finish
    assert stream.usage.estimated
    assert stream.usage.input_tokens == request_.estimated_input_tokens()
    assert stream.usage.output_tokens > 3


async def test_a_stream_cut_at_every_byte(server: ModelServer, client: ModelClient, request_: ChatRequest) -> None:
    body = b"".join(map(delta, WORDS)) + delta("", "stop")
    for at in range(0, len(body) - 1, 3):
        server.then(answers(body[:at]))
        with pytest.raises(StreamCut):
            await read(client, request_)
    server.then(answers(body))
    assert (await read(client, request_)).text == TEXT


async def test_a_chunked_stream_that_breaks_off(
    server: ModelServer, client: ModelClient, request_: ChatRequest
) -> None:
    async def script(call: Call) -> None:
        await call.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + delta("half")[:40])
        call.writer.transport.abort()

    server.then(script)
    with pytest.raises(StreamCut):
        await read(client, request_)


async def test_silence_is_noticed(server: ModelServer, client: ModelClient, request_: ChatRequest) -> None:
    for head in (b"", STREAM_HEAD):
        server.then(silent(head, seconds=LIMITS.first_token))
        begun = time.monotonic()
        with pytest.raises(Silent, match=r"within 60 s"):
            await read(client, request_)
        assert time.monotonic() - begun < 30
        await asyncio.wait_for(server.calls[0].gone.wait(), 30)


async def test_comments_are_no_sign_of_life(server: ModelServer, client: ModelClient, request_: ChatRequest) -> None:
    pings = [b": ping\n\n", b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'] * 20
    server.then(slow(pings, 2))
    with pytest.raises(Silent):
        await read(client, request_)
    server.then(slow([delta("Hello"), *pings], 2))
    with pytest.raises(Stalled):
        await read(client, request_)


async def test_a_slow_stream_that_lives_completes(
    server: ModelServer, client: ModelClient, request_: ChatRequest
) -> None:
    server.then(slow([*map(delta, WORDS), delta("", "stop"), DONE], 45))
    clock = asyncio.get_running_loop()
    begun = clock.time()
    stream = await read(client, request_)
    assert stream.text == TEXT
    assert clock.time() - begun > 2 * max(LIMITS.first_token, LIMITS.idle)


async def test_reasoning_keeps_the_stream_alive(
    server: ModelServer, client: ModelClient, request_: ChatRequest
) -> None:
    thought = event({"choices": [{"delta": {"reasoning_content": "hm"}}]})
    server.then(slow([thought] * 4 + [whole()], 45))
    assert (await read(client, request_)).text == TEXT


async def test_a_reader_slower_than_the_idle_limit_loses_nothing(
    server: ModelServer, client: ModelClient, request_: ChatRequest
) -> None:
    server.then(paced([*map(delta, WORDS), delta("", "stop"), DONE], 0.02))
    stream = client.stream_chat(request_, "m")
    async for _ in stream:
        await asyncio.sleep(0.05)
        go_on(LIMITS.idle * 1.5)
    assert stream.text == TEXT


async def test_a_missing_end_after_the_finish_reason_is_not_waited_for(
    server: ModelServer, request_: ChatRequest
) -> None:
    async def script(call: Call) -> None:
        await call.send(STREAM_HEAD + whole(usage=b"", done=b""))
        await call.gone.wait()

    server.then(script)
    begun = time.monotonic()
    async with ModelClient(Endpoint(server.base_url), limits=replace(LIMITS, tail=0.2)) as client:
        assert (await read(client, request_)).usage.estimated
    assert time.monotonic() - begun < LIMITS.idle


async def test_garbage(server: ModelServer, client: ModelClient, request_: ChatRequest) -> None:
    for data in (b"data: {nonsense\n\n", b"data: [1, 2]\n\n", b"data: " + b"x" * 2_000_000):
        server.then(answers(data))
        with pytest.raises((Malformed, StreamCut)):
            await read(client, request_)
    server.then(answers(b"<html>busy</html>"))
    with pytest.raises(StreamCut):
        await read(client, request_)

    async def not_http(call: Call) -> None:
        await call.send(b"\x00\xff\x13garbage\r\n\r\n")

    server.then(not_http)
    with pytest.raises(Unreachable):
        await read(client, request_)


async def test_an_answer_without_text(server: ModelServer, client: ModelClient, request_: ChatRequest) -> None:
    server.then(answers(delta("", "length") + USAGE + DONE))
    with pytest.raises(EmptyAnswer, match="length"):
        await read(client, request_)


async def test_errors_before_and_inside_the_stream(
    server: ModelServer, client: ModelClient, request_: ChatRequest
) -> None:
    cases = [
        (refuses(400), RequestRejected), (refuses(401), KeyRefused), (refuses(404), ModelMissing),
        (refuses(307, location="http://169.254.169.254/"), ModelMissing), (refuses(500), ProviderFailed),
        (hangs_up, Unreachable), (answers(event({"error": {"type": "overloaded"}})), ProviderFailed),
    ]  # fmt: skip
    for script, kind in cases:
        server.then(script)
        with pytest.raises(kind):
            await read(client, request_)
        assert len(server.calls) == 1


async def test_nobody_listens(request_: ChatRequest) -> None:
    async with ModelClient(Endpoint("http://127.0.0.1:9/v1"), limits=LIMITS) as client:
        with pytest.raises(Unreachable):
            await read(client, request_)


async def test_a_model_with_another_dialect_is_understood(
    server: ModelServer, client: ModelClient, request_: ChatRequest
) -> None:
    async def script(call: Call) -> None:
        if "max_tokens" in call.body:
            words = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            await refuses(400, {"error": {"message": words, "param": "max_tokens"}})(call)
        elif "temperature" in call.body:
            await refuses(400, {"error": {"message": "'temperature' does not support 0.2"}})(call)
        else:
            await answers()(call)

    server.then(script)
    assert (await read(client, request_)).text == TEXT
    assert len(server.calls) == 3
    assert (await read(client, request_)).text == TEXT
    assert len(server.calls) == 4  # learnt


async def test_closing_in_the_middle_closes_the_upstream(
    server: ModelServer, client: ModelClient, request_: ChatRequest
) -> None:
    server.then(paced([delta("word ")] * 1000, 0.1))
    stream = client.stream_chat(request_, "m")
    assert await anext(stream)
    stream.close()
    await asyncio.wait_for(server.calls[0].gone.wait(), 30)  # the stream goes on for 100 s
    assert stream.usage.estimated
    assert stream.usage.output_tokens > 0
