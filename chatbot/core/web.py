"""What every HTTP process shares: problem responses, correlation ids, request metrics, body limits.

The middleware is plain ASGI: Starlette's `BaseHTTPMiddleware` costs a task per request and breaks
streams on disconnect.
"""

import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import get_contextvars

from chatbot.core import correlation, telemetry
from chatbot.core.body_fields import fields_at
from chatbot.core.errors import FieldError, InvalidInput, TooLarge, Unavailable, XinError
from chatbot.core.field_words import field_words
from chatbot.core.logging import get_logger
from chatbot.core.metrics import HTTP_LATENCY, requests_counter

log = get_logger(__name__)
_CLIENT_LEFT = 499  # what is counted when nobody was left to answer
PROBLEM_TYPE = "application/problem+json"
_MOST_ERRORS = 100
"""Of a body are told; who sends 20,000 unknown fields is not named each of them."""
_DISK_FULL = "53100"
"""PostgreSQL's code of it."""
_NAMED_IN_WORDS = re.compile(r"([\w.]+(?:, [\w.]+)*): (.+)", re.DOTALL)
_UNREADABLE_BODY = "There was an error parsing the body"  # FastAPI's own words


def event_stream(*names: str) -> dict[str, Any]:
    """Describe a stream of server-sent events for OpenAPI: the schema is that of one event.

    Args:
        names: the events that there are; none where the list is open.
    """
    schema = {
        "type": "object",
        "required": ["event", "data"],
        "properties": {
            "id": {"type": "string"},
            "event": {"type": "string", "enum": list(names)} if names else {"type": "string"},
            "data": {"type": "string", "contentMediaType": "application/json"},
        },
    }
    return {"text/event-stream": {"schema": schema}}


def problem_of(error: XinError) -> dict[str, Any]:
    """Return an error as a problem document (RFC 9457) with our `code` and the request's id."""
    body: dict[str, Any] = {
        "type": f"urn:xin:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "request_id": correlation.current(),
    }
    if error.errors:
        body["errors"] = [{"field": item.field, "message": item.message} for item in error.errors]
    return body


def problem_body(error: XinError) -> bytes:
    """Render an error as a problem document."""
    return orjson.dumps(problem_of(error))


def problem_response(error: XinError) -> Response:
    """Return the HTTP response of an error."""
    return Response(problem_body(error), status_code=error.status, headers=error.headers, media_type=PROBLEM_TYPE)


class _HttpProblem(XinError):
    """An error that the framework raised (unknown route, wrong method)."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status  # type: ignore[misc]
        self.code = {404: "not_found", 405: "method_not_allowed"}.get(status, "bad_request")  # type: ignore[misc]
        self.title = detail  # type: ignore[misc]


class SeeOther(Exception):
    """Leads a browser to a page, where a program would get an answer."""

    def __init__(self, page: str) -> None:
        super().__init__(page)
        self.page = page


def page_for_browsers(request: Request, page: str) -> None:
    """Lead whoever asks for HTML to a page.

    Raises:
        SeeOther: a browser asks.
    """
    if "text/html" in request.headers.get("accept", ""):
        raise SeeOther(page)


async def _on_see_other(_request: Request, found: Exception) -> Response:
    assert isinstance(found, SeeOther)
    return RedirectResponse(found.page, status_code=303, headers={"Vary": "Accept"})


async def _on_xin_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, XinError)
    if error.status >= 500:
        log.warning("request failed", code=error.code, detail=error.detail, **_about(request.scope))
    return problem_response(error)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # FastAPI says first where a field stands (body, query, path, header); fields have such names too.
    found = [
        ({**item, "loc": item["loc"][1:]}, error.body if item["loc"][0] == "body" else None)
        for item in error.errors()[:_MOST_ERRORS]
    ]
    body = getattr(request.scope.get("route"), "body_field", None)
    for item, _ in found:
        if body and item["type"] == "extra_forbidden":
            item["ctx"] = {"fields": fields_at(body.field_info.annotation, item["loc"])}
    return problem_response(_invalid_input(found))


def invalid_input_of(error: ValidationError, given: Any) -> InvalidInput:
    """Return what pydantic found wrong with what was given as one error that names each field."""
    return _invalid_input([(dict(item), given) for item in error.errors()[:_MOST_ERRORS]])


def _invalid_input(problems: Sequence[tuple[Mapping[str, Any], Any]]) -> InvalidInput:
    places = [item["loc"] for item, _ in problems]
    fields = [
        field
        for item, given in problems
        # Of a list whose items are wrong pydantic says as well that it is too short: they do not count.
        if item["type"] != "too_short"
        or not any(len(at) > len(item["loc"]) == _shared(at, item["loc"]) for at in places)
        for field in _field_errors(item, given)
    ]
    detail = "; ".join(f"{item.field}: {item.message}" for item in fields[:5])
    return InvalidInput(detail, errors=fields)


async def _on_http_exception(_request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    detail = str(error.detail)
    if detail == _UNREADABLE_BODY:
        detail = "body: cannot be read; it must be JSON in UTF-8"
    response = problem_response(_HttpProblem(error.status_code, detail))
    response.headers.update(error.headers or {})
    return response


async def _on_database_gone(request: Request, error: Exception) -> Response:
    log.warning("the database does not answer", reason=str(error).splitlines()[0][:200], **_about(request.scope))
    full = getattr(getattr(error, "orig", None), "sqlstate", None) == _DISK_FULL
    words = "the database's disk is full" if full else "the database does not answer"
    return problem_response(Unavailable(f"{words}; nothing was stored"))


async def _on_unstorable_value(_request: Request, error: Exception) -> Response:
    log.info("a value was refused by the database", reason=type(error).__name__)
    return problem_response(InvalidInput("a value is outside what can be stored"))


async def _on_unexpected(request: Request, error: Exception) -> Response:
    log.error("unexpected error", exc_info=error, **_about(request.scope))
    return problem_response(XinError())


def _about(scope: Scope) -> dict[str, str]:
    """What a log line says of a failed request. Its tenant is known to the log's context, or named in its address."""
    about = {"method": scope["method"], "route": _route_of(scope)}
    if "tenant_id" not in get_contextvars() and (tenant_id := _tenant_named(scope)):
        about["tenant_id"] = tenant_id
    return about


def _tenant_named(scope: Scope) -> str | None:
    """The tenant in the path or the query. Whatever is no UUID is none: addresses hold what anybody writes."""
    named = scope.get("path_params", {}).get("tenant_id") or QueryParams(scope["query_string"]).get("tenant_id")
    try:
        return str(UUID(str(named))) if named else None
    except ValueError:
        return None


def _shared(one: Sequence[Any], other: Sequence[Any]) -> int:
    """How long two places are the same."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _field_errors(problem: Mapping[str, Any], given: Any) -> list[FieldError]:
    """Name the field, also of a rule that looks at the whole body and begins with the names of what it found wrong."""
    name, words = _field_name(problem, given), field_words(problem)
    found = _NAMED_IN_WORDS.fullmatch(words) if name == "body" and problem["type"] == "value_error" else None
    return [FieldError(each, found[2]) for each in found[1].split(", ")] if found else [FieldError(name, words)]


def _field_name(problem: Mapping[str, Any], given: Any) -> str:
    # Of a body that is no JSON the place is a count of characters, not a field.
    location = () if problem["type"] == "json_invalid" else problem["loc"]
    parts = [
        str(part)
        for part in (_as_sent(location, given, problem["type"]) if isinstance(given, dict | list) else location)
    ]
    if problem["type"] in ("union_tag_not_found", "union_tag_invalid"):
        parts.append(problem["ctx"]["discriminator"].strip("'"))
    return ".".join(parts) or "body"


def _as_sent(location: Sequence[str | int], given: Any, kind: str) -> Iterator[str | int]:
    """A place without the names of the alternatives that pydantic tried on its way, which nobody has sent."""
    here: Any = given
    for n, part in enumerate(location, 1):
        if _holds(here, part):
            here = here[part]
            yield part
        elif n == len(location) and kind == "missing":
            yield part


def _holds(here: Any, part: str | int) -> bool:
    if isinstance(here, dict):
        return part in here
    return isinstance(here, list) and isinstance(part, int) and part < len(here)


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error of an app, ours or the framework's, as a problem document."""
    app.add_exception_handler(XinError, _on_xin_error)
    app.add_exception_handler(SeeOther, _on_see_other)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(StarletteHTTPException, _on_http_exception)
    for gone in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(gone, _on_database_gone)
    app.add_exception_handler(DataError, _on_unstorable_value)
    app.add_exception_handler(Exception, _on_unexpected)


class RequestContext:
    """ASGI middleware: the correlation id in and out, security headers, metrics, the body limit.

    What nobody expected is answered here, as a problem: outside of our layers, where the framework would do it, an
    answer has neither the request's id nor what a page of another origin needs to read it.

    Args:
        max_body_bytes: how long a body may be on a path.
        ending: whether the process is to end (never, unless told otherwise); then each answer asks its client to
            connect anew, elsewhere.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: Callable[[str], int], ending: Callable[[], bool] = bool) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        traceparent = _header(scope, b"traceparent")
        given = correlation.from_outside(_header(scope, b"x-request-id"))
        request_id = correlation.begin(given or telemetry.trace_of(traceparent))
        started = time.perf_counter()
        status, seconds = _CLIENT_LEFT, 0.0

        async def send_with_headers(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status, seconds = message["status"], time.perf_counter() - started
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
                if self._ending():
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            limited = _limited(receive, self._max_body_bytes(scope["path"]))
            with telemetry.request_span(scope["method"], traceparent) as span:
                await self._guarded(scope, limited, send_with_headers)
                span.update_name(f"{scope['method']} {_route_of(scope)}")
                span.set_attributes({"http.route": _route_of(scope), "http.response.status_code": status})
        except Exception as error:
            if seconds:  # the answer has begun: all that is left is to break it off
                status = 500
                raise
            response = await _on_unexpected(Request(scope), error)
            await response(scope, receive, send_with_headers)
        finally:
            route = _route_of(scope)
            requests_counter(scope["method"], route, f"{status // 100}xx").inc()
            HTTP_LATENCY.labels(scope["method"], route).observe(seconds or time.perf_counter() - started)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = _header(scope, b"content-length")
        limit = self._max_body_bytes(scope["path"])
        if length and length.isdigit() and int(length) > limit:
            error = TooLarge(_limit_in_words(limit))
            await problem_response(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _limited(receive: Receive, limit: int) -> Callable[[], Awaitable[Message]]:
    """Count a chunked body as it comes; refuse it once it passes the limit."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise TooLarge(_limit_in_words(limit))
        return message

    return counted


def _limit_in_words(limit: int) -> str:
    return f"body: at most {limit} bytes are accepted here (for files MAX_UPLOAD_BYTES sets it)"


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


def _route_of(scope: Scope) -> str:
    """The route's template, never the path: label values stay a closed set."""
    route = scope.get("route")
    return getattr(route, "path", "unmatched")
