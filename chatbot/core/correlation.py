"""The correlation id that joins a request, its jobs and its outbound calls.

What a rule does because of something has the same id with the number of steps behind it (`<id>~1`, `<id>~2`, …): so it
is known what follows from what. Only we say so: an id from outside holds no `~`.
"""

import hashlib
import re
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from structlog.contextvars import bind_contextvars

from chatbot.core.ids import new_id

HEADER = "X-Request-ID"
_OUTSIDE = re.compile(r"[A-Za-z0-9._:-]{1,120}")
_ACCEPTED = re.compile(_OUTSIDE.pattern + r"(?:~[0-9]{1,4})?")
_traces = {"named": False}
_current: ContextVar[str] = ContextVar("correlation_id", default="")


def begin(given: str | None = None) -> str:
    """Set the correlation id of this context: the given one when it is well formed, else a new one."""
    value = given if given and _ACCEPTED.fullmatch(given) else str(new_id())
    _current.set(value)
    bind_contextvars(correlation_id=value)
    return value


def of_tenant(tenant_id: UUID | str) -> None:
    """Name the tenant that this context works for: its log lines carry `tenant_id` from now on."""
    bind_contextvars(tenant_id=str(tenant_id))


def from_outside(given: str | None) -> str | None:
    """Return an id that a client gave, when it is well formed."""
    return given if given and _OUTSIDE.fullmatch(given) else None


def following(of: str | None) -> str | None:
    """Return the id of what a rule does because of something that has an id."""
    if of is None:
        return None
    cause, _, steps = of.partition("~")
    return f"{cause}~{int(steps or 0) + 1}"


def line(of: str) -> list[str]:
    """Return the ids from a first cause to what followed from it in the end."""
    cause, _, steps = of.partition("~")
    return [cause, *(f"{cause}~{step}" for step in range(1, int(steps or 0) + 1))]


def current() -> str:
    """Return the correlation id of this context; begins one when there is none."""
    return _current.get() or begin()


def trace_id_of(correlation_id: str) -> int:
    """Return the trace of a correlation id: the UUID itself, or a hash of what is no UUID; of all steps the same."""
    cause = correlation_id.partition("~")[0]
    try:
        return UUID(cause).int or 1
    except ValueError:
        return int.from_bytes(hashlib.sha256(cause.encode()).digest()[:16], "big")


def name_traces() -> bool:
    """Let log lines name the trace beside the correlation id from now on: spans are exported. Returns True."""
    _traces["named"] = True
    return True


def add_trace_id(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put `trace_id` into a log line that has a `correlation_id`, where traces are named."""
    if _traces["named"] and "correlation_id" in event:
        event["trace_id"] = f"{trace_id_of(str(event['correlation_id'])):032x}"
    return event
