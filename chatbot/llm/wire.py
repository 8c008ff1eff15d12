"""The OpenAI-compatible wire: request bodies, stream chunks, error bodies, and the dialects of models."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, NamedTuple

import orjson

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
from chatbot.llm.schemas import ChatRequest, Usage

_MAX_TOKENS_IN_A_REPORT = 100_000_000  # a provider's figure above this is nonsense and would spoil the books
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,60}")


class Chunk(NamedTuple):
    """One event of a chat stream.

    Attributes:
        text: the piece of the answer; may be empty.
        finish_reason: set on the last piece.
        usage: the call's tokens so far, when the provider says so.
        alive: the model did something (text, reasoning, an end), so the idle clock starts again.
    """

    text: str
    finish_reason: str | None
    usage: Usage | None
    alive: bool


def read_chunk(payload: bytes) -> Chunk:
    """Read the data of one event.

    Raises:
        Malformed: not a JSON object.
        ModelCallFailed: the provider reports an error inside the stream.
    """
    body = _loads(payload)
    if not isinstance(body, dict):
        raise Malformed("an event of the stream is not a JSON object")
    if body.get("error"):
        raise _error_event(body["error"])
    reported = body.get("usage")
    usage = read_usage(reported) if reported else None
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return Chunk("", None, usage, usage is not None)
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        delta = {}
    text = _clean(delta.get("content"))
    finish = choice.get("finish_reason")
    alive = bool(text or finish or delta.get("reasoning_content") or delta.get("reasoning"))
    return Chunk(text, str(finish) if finish else None, usage, alive)


def read_usage(reported: object) -> Usage | None:
    """Read a `usage` object; None when it is not one."""
    if not isinstance(reported, dict):
        return None
    given, made = reported.get("prompt_tokens"), reported.get("completion_tokens")
    if not isinstance(given, int) or not isinstance(made, int | None):
        return None
    return Usage(_sane(given), _sane(made or 0))


def _sane(tokens: int) -> int:
    return min(max(tokens, 0), _MAX_TOKENS_IN_A_REPORT)


def _loads(payload: bytes) -> object:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        pass
    try:
        # The standard parser takes half a surrogate pair, which some servers send when they cut an emoji in two.
        return json.loads(payload)
    except ValueError:
        raise Malformed("an event of the stream is not JSON") from None


def _clean(content: object) -> str:
    """Make a piece storable: PostgreSQL takes no NUL, UTF-8 no lone surrogate."""
    if not isinstance(content, str) or not content:
        return ""
    if content.isascii() and "\x00" not in content:
        return content
    return content.replace("\x00", "").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _error_event(error: object) -> ModelCallFailed:
    code = error.get("code") if isinstance(error, dict) else None
    if code in {429, "429", "rate_limit_exceeded"}:
        return RateLimited("the provider reported a rate limit inside the stream")
    return ProviderFailed(f"the provider reported an error inside the stream{_named(error)}")


def failure_of(status: int, headers: Mapping[str, str], body: bytes) -> ModelCallFailed:
    """Say what an answer other than 200 means. The provider's own words are not kept: they may quote the key."""
    error = _error_object(body)
    reason = f"the endpoint answered {status}{_named(error)}"
    wait = retry_after(headers)
    code = error.get("code")
    if status in {401, 402} or code in {"insufficient_quota", "invalid_api_key"}:
        return KeyRefused(f"{reason}; check OPENAI_API_KEY and the account's quota")
    if status == 429:
        return RateLimited(reason, retry_after=wait)
    if status in {408, 409, 425} or status >= 500:
        return ProviderFailed(reason, retry_after=wait)
    if status in {403, 404, 405, 410} or status < 400:
        return ModelMissing(f"{reason}; check OPENAI_BASE_URL and the model's name")
    return RequestRejected(reason)


def error_message(body: bytes) -> str:
    """Return the provider's own words, for matching only; never to be logged."""
    return str(_error_object(body).get("message") or "")


def _error_object(body: bytes) -> dict[str, Any]:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(parsed, dict):
        return {}
    error = parsed.get("error", parsed)
    return error if isinstance(error, dict) else {"message": str(error)}


def _named(error: object) -> str:
    """Return the error's short code in brackets, when it looks like a name and not like prose."""
    if not isinstance(error, dict):
        return ""
    for key in ("code", "type"):
        value = error.get(key)
        if isinstance(value, str) and _NAME.fullmatch(value):
            return f" ({value})"
    return ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a provider asks us to wait (`retry-after-ms`, or RFC 9110's seconds or HTTP date)."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _number(value)
    return seconds if seconds is not None else _seconds_until(value, utcnow())


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < float("inf") else None


def _seconds_until(value: str | None, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(value) if value else None
    except ValueError:
        return None
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
    return max(0.0, (aware - now).total_seconds())


class Dialects:
    """What each model was seen not to take, learnt from its own refusal.

    Newer OpenAI models want `max_completion_tokens` and no temperature; older servers know no `stream_options`.
    """

    _LIMIT = 256
    _MARKS: ClassVar[dict[str, str]] = {
        "max_tokens": "max_completion_tokens",
        "temperature": "temperature",
        "stream_options": "stream_options",
    }

    def __init__(self) -> None:
        self._refused: dict[str, set[str]] = {}

    def learn(self, model: str, message: str) -> bool:
        """Take note of a refusal; True when the request will look different now."""
        named = next((name for name, mark in self._MARKS.items() if mark in message), None)
        known = self._refused.get(model, set())
        if named is None or named in known or len(self._refused) >= self._LIMIT:
            return False
        self._refused[model] = known | {named}
        return True

    def body(self, request: ChatRequest, model: str) -> bytes:
        """Render the request's JSON in the model's dialect."""
        refused = self._refused.get(model, ())
        limit = "max_completion_tokens" if "max_tokens" in refused else "max_tokens"
        body: dict[str, object] = {
            "model": model,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            limit: request.max_tokens,
            "stream": True,
        }
        if "temperature" not in refused:
            body["temperature"] = request.temperature
        if "stream_options" not in refused:
            body["stream_options"] = {"include_usage": True}
        return orjson.dumps(body)
