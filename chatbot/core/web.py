"""What every HTTP process shares: problem responses, correlation ids, request metrics, body limits.

The middleware is plain ASGI: Starlette's `BaseHTTPMiddleware` costs a task per request and breaks
streams on disconnect.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatbot.core import correlation
from chatbot.core.errors import FieldError, InvalidInput, TooLarge, Unavailable, XinError, field_words
from chatbot.core.logging import get_logger
from chatbot.core.metrics import HTTP_LATENCY, HTTP_REQUESTS

log = get_logger(__name__)
_CLIENT_LEFT = 499  # what is counted when nobody was left to answer
PROBLEM_TYPE = "application/problem+json"


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


async def _on_xin_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, XinError)
    if error.status >= 500:
        log.warning("request failed", code=error.code, detail=error.detail)
    return problem_response(error)


async def _on_validation_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = [FieldError(_field_name(item), field_words(item)) for item in error.errors()]
    detail = "; ".join(f"{item.field}: {item.message}" for item in fields[:5])
    return problem_response(InvalidInput(detail, errors=fields))


async def _on_http_exception(_request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    response = problem_response(_HttpProblem(error.status_code, str(error.detail)))
    response.headers.update(error.headers or {})
    return response


async def _on_database_gone(_request: Request, error: Exception) -> Response:
    log.warning("the database does not answer", reason=str(error).splitlines()[0][:200])
    return problem_response(Unavailable("the database does not answer; nothing was stored"))


async def _on_unstorable_value(_request: Request, error: Exception) -> Response:
    log.info("a value was refused by the database", reason=type(error).__name__)
    return problem_response(InvalidInput("a value is outside what can be stored"))


async def _on_unexpected(_request: Request, error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    return problem_response(XinError())


def _field_name(problem: Mapping[str, Any]) -> str:
    # Of a body that is no JSON the place is a count of characters, not a field.
    location = () if problem["type"] == "json_invalid" else problem["loc"]
    parts = [str(part) for part in location if part not in ("body", "query", "path", "header")]
    return ".".join(parts) or "body"


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error of an app, ours or the framework's, as a problem document."""
    app.add_exception_handler(XinError, _on_xin_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(StarletteHTTPException, _on_http_exception)
    for gone in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(gone, _on_database_gone)
    app.add_exception_handler(DataError, _on_unstorable_value)
    app.add_exception_handler(Exception, _on_unexpected)


class RequestContext:
    """ASGI middleware: the correlation id in and out, security headers, metrics, the body limit."""

    def __init__(self, app: ASGIApp, max_body_bytes: Callable[[str], int]) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = _header(scope, b"x-request-id")
        request_id = correlation.begin(given)
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
            await send(message)

        try:
            limited = _limited(receive, self._max_body_bytes(scope["path"]))
            await self._guarded(scope, limited, send_with_headers)
        except Exception:  # answered outside of this middleware
            status = 500
            raise
        finally:
            route = _route_of(scope)
            HTTP_REQUESTS.labels(scope["method"], route, f"{status // 100}xx").inc()
            HTTP_LATENCY.labels(scope["method"], route).observe(seconds or time.perf_counter() - started)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = _header(scope, b"content-length")
        limit = self._max_body_bytes(scope["path"])
        if length and length.isdigit() and int(length) > limit:
            error = TooLarge(f"body: at most {limit} bytes are accepted here")
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
            raise TooLarge(f"body: at most {limit} bytes are accepted here")
        return message

    return counted


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


def _route_of(scope: Scope) -> str:
    """The route's template, never the path: label values stay a closed set."""
    route = scope.get("route")
    return getattr(route, "path", "unmatched")
