"""CORS by path: visitors' calls may come from any page, for their tokens say which; all others from listed pages."""

from collections.abc import Sequence
from functools import partial

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

SESSION_PATHS = ("/v1/widget/sessions", "/v1/widget/sessions/claim")
"""The paths of visitors to which the cookie goes along."""

VISITOR_PATHS = ("/v1/widget/", "/v1/chat", "/v1/conversations", "/v1/attachments", "/v1/tickets")
FILE_PATHS = ("/embed.js", "/widget/")
"""Files for every page, which say so themselves, whoever asks: what is kept must not depend on the first to ask."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_HEADERS = ("Authorization", "Content-Type", "If-Match", "Last-Event-ID", "X-Request-ID", "X-Tenant-Id")
_EXPOSED = ("Content-Disposition", "Retry-After", "X-Request-ID")
_MAX_AGE = 600


class CorsByPath:
    """Answers preflights and marks answers; who may do what is not decided here, but where the token is read.

    Args:
        listed: origins of pages that may call everything else.
    """

    def __init__(self, app: ASGIApp, listed: Sequence[str]) -> None:
        cors = partial(
            CORSMiddleware, app,
            allow_methods=_METHODS, allow_headers=_HEADERS, expose_headers=_EXPOSED, max_age=_MAX_AGE,
        )  # fmt: skip
        self._files = app
        self._sessions = cors(allow_origin_regex=".*", allow_credentials=True)
        self._visitors = cors(allow_origins=["*"])
        self._others = cors(allow_origins=listed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path in SESSION_PATHS:
            await self._sessions(scope, receive, send)
        elif path.startswith(VISITOR_PATHS):
            await self._visitors(scope, receive, send)
        elif path.startswith(FILE_PATHS):
            await self._files(scope, receive, send)
        else:
            await self._others(scope, receive, send)
