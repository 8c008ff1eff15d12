"""An administrator's request, and the row that its transaction leaves in the audit log.

No endpoint and no service has to think of it: the first transaction of the request that has written something writes
the row too, just before it commits. What a service knows better than the request says, it notes.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from starlette.requests import HTTPConnection, Request

from chatbot.core.errors import XinError
from chatbot.db.sessions import PlatformSession, TenantSession, Transaction, before_commit
from chatbot.identity.audit import repository
from chatbot.identity.audit.service import Entry, record

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_FIELDS = 50
_MAX_READ = 64 * 1024
"""Larger bodies, such as whole documents, are not parsed once more for their fields' names."""


@dataclass(slots=True)
class Acting:
    """Who acts in a request, on what, and what was noted about it.

    Attributes:
        chains: the tenants that a change across tenants concerns.
        written: the row is there.
    """

    actor: str
    ip: str | None
    connection: HTTPConnection
    target: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    chains: frozenset[UUID] = frozenset()
    written: bool = False

    @property
    def action(self) -> str:
        """The name of the operation."""
        return str(getattr(self.connection.scope.get("route"), "name", "unknown"))

    def named_target(self) -> str:
        """What is acted on: as noted, else the last id in the path."""
        if self.target:
            return self.target
        ids = [(name, value) for name, value in self.connection.path_params.items() if name.endswith("_id")]
        return f"{ids[-1][0].removesuffix('_id')}:{ids[-1][1]}" if ids else ""

    async def before_commit(self, session: Transaction) -> None:
        """Leave the row when the transaction has written something, once a request."""
        unaudited = getattr(self.connection.state, "unaudited", False)
        if self.written or unaudited or not isinstance(session, TenantSession | PlatformSession):
            return
        if session.in_transaction():
            await session.flush()
        if not await repository.has_written(session):
            return
        detail = {"fields": await _field_names(self.connection), **self.detail}
        entry = Entry(self.actor, self.action, self.named_target(), detail, ip=self.ip)
        await record(session, entry, self.chains)
        self.written = True


_current: ContextVar[Acting | None] = ContextVar("acting", default=None)


@contextmanager
def acting(actor: str, ip: str | None, connection: HTTPConnection) -> Iterator[Acting]:
    """Let the block be an administrator's request; one that only reads leaves no row."""
    begun = connection.state.acting = Acting(actor, ip, connection)
    _current.set(begun)
    if connection.scope.get("method") not in _READING:
        before_commit.set(begun.before_commit)
    try:
        yield begun
    finally:
        begun.written = True  # what the request has set going and outlives it is not the administrator's doing
        _current.set(None)
        before_commit.set(None)


def note(*, target: str | None = None, detail: Mapping[str, Any] | None = None, chains: Collection[UUID] = ()) -> None:
    """Say what the request alone does not tell; without a request of an administrator, nothing happens.

    Args:
        target: kind and id of what is acted on, where it is made by the call.
        detail: more of it; never a secret's value.
        chains: the tenants that a change across tenants concerns.
    """
    present = _current.get()
    if present is None:
        return
    present.target = target or present.target
    present.detail |= detail or {}
    present.chains |= frozenset(chains)


async def _field_names(connection: HTTPConnection) -> list[str]:
    """The fields of a JSON body, without their values; the body was read and validated by then."""
    is_json = connection.headers.get("content-type", "").startswith("application/json")
    size = connection.headers.get("content-length", "")
    if not is_json or not isinstance(connection, Request) or not size.isdigit() or int(size) > _MAX_READ:
        return []
    try:
        body = await connection.json()
    except (ValueError, RuntimeError, XinError):
        return []
    return sorted(map(str, body))[:_MAX_FIELDS] if isinstance(body, dict) else []
