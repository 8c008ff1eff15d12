"""The correlation id that joins a request, its jobs and its outbound calls."""

import re
from contextvars import ContextVar

from structlog.contextvars import bind_contextvars

from chatbot.core.ids import new_id

HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_current: ContextVar[str] = ContextVar("correlation_id", default="")


def begin(given: str | None = None) -> str:
    """Set the correlation id of this context: the given one when it is well formed, else a new one."""
    value = given if given and _ACCEPTED.fullmatch(given) else str(new_id())
    _current.set(value)
    bind_contextvars(correlation_id=value)
    return value


def current() -> str:
    """Return the correlation id of this context; begins one when there is none."""
    return _current.get() or begin()
