"""`GET /api/logs`: the log of the process that answers."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from chatbot.core.log_tail import log_tail
from chatbot.core.web import event_stream
from chatbot.identity.dependencies import LogFollower
from chatbot.ops.logs.stream import LogStream

router = APIRouter(tags=["system"])

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events `log`, each a line of JSON; `missed`: so many came too fast; `shutdown`: reconnect.",
        "content": event_stream("log", "missed", "shutdown"),
    }
}


@router.get("/api/logs", responses=_EVENTS, response_class=Response)
async def logs(
    request: Request,
    _allowed: LogFollower,
    lines: Annotated[int, Query(ge=0, le=1000, description="How many of the last lines come first.")] = 100,
    follow: Annotated[bool, Query(description="Whether to go on after them.")] = True,
) -> Response:
    """The last lines of this process's log, then each as it is written; with `LOG_TOKEN` or as a platform admin."""
    return LogStream(log_tail, request.app.state.draining, lines=lines, follow=follow)
