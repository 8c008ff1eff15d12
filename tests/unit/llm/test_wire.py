"""Chunks, errors and waits as providers send them."""

from datetime import timedelta
from email.utils import format_datetime

import orjson
import pytest

from chatbot.core.clock import utcnow
from chatbot.llm.errors import (
    KeyRefused,
    Malformed,
    ModelCallFailed,
    ModelMissing,
    ProviderFailed,
    RateLimited,
    RequestRejected,
)
from chatbot.llm.schemas import ChatMessage, ChatRequest, Purpose, Usage, estimate_tokens
from chatbot.llm.wire import Dialects, failure_of, read_chunk, retry_after

REQUEST = ChatRequest((ChatMessage("user", "سلام"),), Purpose.ANSWER)


def test_a_piece_of_text() -> None:
    chunk = read_chunk('{"choices":[{"index":0,"delta":{"content":"سلام"},"finish_reason":null}]}'.encode())
    assert (chunk.text, chunk.finish_reason, chunk.usage, chunk.alive) == ("سلام", None, None, True)


def test_usage_in_the_last_chunk() -> None:
    chunk = read_chunk(b'{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}')
    assert chunk.usage == Usage(7, 3)
    assert chunk.text == ""


@pytest.mark.parametrize(
    "payload",
    [b"{}", b'{"choices":null}', b'{"choices":[null]}', b'{"choices":[{"delta":null}]}',
     b'{"choices":[{"delta":{"content":null}}]}', b'{"choices":[{"delta":{"content":5}}],"usage":"no"}',
     b'{"choices":[],"usage":{"prompt_tokens":"7"}}'],
)  # fmt: skip
def test_odd_chunks_are_no_sign_of_life(payload: bytes) -> None:
    assert read_chunk(payload) == ("", None, None, False)


def test_reasoning_is_a_sign_of_life() -> None:
    assert read_chunk(b'{"choices":[{"delta":{"reasoning_content":"hm"}}]}').alive


@pytest.mark.parametrize("payload", [b'{"choices', b"[1]", b'"x"', b'{"a":"\xff"}', b"<html>"])
def test_garbage_is_malformed(payload: bytes) -> None:
    with pytest.raises(Malformed):
        read_chunk(payload)


def test_text_is_made_storable() -> None:
    payload = rb'{"choices":[{"delta":{"content":"a\u0000b \ud83d"}}]}'
    text = read_chunk(payload).text
    assert text == "ab \ufffd"
    assert text.encode()


def test_an_error_inside_the_stream() -> None:
    with pytest.raises(ProviderFailed, match="server_error"):
        read_chunk(b'{"error":{"message":"key sk-1 is bad","type":"server_error"}}')
    with pytest.raises(RateLimited):
        read_chunk(b'{"error":{"code":429}}')


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(400, b"", RequestRejected), (422, b"x", RequestRejected), (401, b"{}", KeyRefused), (402, b"[]", KeyRefused),
     (429, b'{"error":{"code":"insufficient_quota"}}', KeyRefused), (429, b'{"error":"slow"}', RateLimited),
     (403, b"", ModelMissing), (404, b"", ModelMissing), (301, b"", ModelMissing), (500, b"", ProviderFailed),
     (503, b"", ProviderFailed), (408, b"", ProviderFailed)],
)  # fmt: skip
def test_each_status_has_its_meaning(status: int, body: bytes, kind: type[ModelCallFailed]) -> None:
    failure = failure_of(status, {}, body)
    assert type(failure) is kind
    assert str(status) in failure.reason


def test_the_providers_words_are_not_kept() -> None:
    body = b'{"error":{"message":"Incorrect API key provided: sk-live-123","code":"invalid_api_key"}}'
    assert "sk-live" not in failure_of(401, {}, body).reason
    assert "OPENAI_API_KEY" in failure_of(401, {}, body).reason


def test_retry_after() -> None:
    date = format_datetime(utcnow() + timedelta(seconds=30), usegmt=True)
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after-ms": "250", "retry-after": "1"}) == 0.25
    assert retry_after({"retry-after": date}) == pytest.approx(30, abs=20)
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    for nonsense in ("soon", "-3", "nan", "inf", ""):
        assert retry_after({"retry-after": nonsense}) is None
    assert retry_after({}) is None


def test_dialects_are_learnt_once() -> None:
    dialects = Dialects()
    assert {"max_tokens", "temperature", "stream_options"} <= set(orjson.loads(dialects.body(REQUEST, "m")))
    refusal = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
    assert dialects.learn("m", refusal)
    assert not dialects.learn("m", refusal)
    assert dialects.learn("m", "'temperature' does not support 0.2 with this model")
    body = orjson.loads(dialects.body(REQUEST, "m"))
    assert body["max_completion_tokens"] == REQUEST.max_tokens
    assert "max_tokens" not in body
    assert "temperature" not in body
    assert "max_tokens" in orjson.loads(dialects.body(REQUEST, "another"))
    assert not dialects.learn("m", "max_tokens is too large")


def test_estimates() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("word" * 10) == 10
    assert estimate_tokens("سلام") == 2
