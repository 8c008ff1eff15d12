"""What was refused, in the audit log: a role that does not reach, a wrong password, a key that was revoked.

The transaction of a refused request is undone, so its row has one of its own, written when the client has the answer:
nobody can tell by the time whether an account exists. A flood of refusals leaves some rows a minute, and their number.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.responses import Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.background import BackgroundTask

from chatbot.core.errors import Forbidden, TooManyRequests, XinError
from chatbot.core.limits import LocalLimits, Rate
from chatbot.core.logging import get_logger
from chatbot.core.web import problem_response
from chatbot.db.sessions import Database
from chatbot.identity.access.repository import find_memberships
from chatbot.identity.audit.acting import Acting
from chatbot.identity.audit.service import Entry, record
from chatbot.identity.denied import CredentialRefused
from chatbot.identity.subject import RoleTooLow

log = get_logger(__name__)
_EACH = Rate("denials-each", "denials of one kind", 10, 60.0)
_WHOSE = Rate("denials-whose", "denials of one actor or network", 60, 60.0)
_ALL = Rate("denials-all", "denials", 1_200, 60.0)
_MOST_COUNTED = 1_000
"""So many are counted apart of what is left out; those beyond share a count in the platform's chain."""


@dataclass(frozen=True, slots=True)
class _Denial:
    entry: Entry
    chains: frozenset[UUID]
    person: UUID | None = None
    """Whose tenants are told, where no chain is known."""

    @property
    def whose(self) -> str:
        """Whose bucket it is: of somebody known theirs, of all others their network's."""
        actor = "" if self.entry.actor == "unknown" else self.entry.actor
        return f"{actor}/{_network(self.entry.ip)}"


@dataclass(slots=True)
class _LeftOut:
    """Denials of one kind that got no row of their own, since some moment of the process's clock."""

    denial: _Denial
    since: float
    count: int = 0


class Denials:
    """Writes down what a process refuses: of each actor, and of each network, so many a minute.

    So nobody hides behind the noise of another. How many were left out is a row of its own, when the next denial comes
    a minute later or more.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._limits = LocalLimits(clock)
        self._left_out: dict[tuple[str, frozenset[UUID], UUID | None], _LeftOut] = {}

    async def answer(self, request: Request, error: Exception) -> Response:
        """Answer an error; what it tells about is written behind the answer."""
        assert isinstance(error, XinError)
        response = problem_response(error)
        response.background = self.task(request, error)
        return response

    def task(self, request: Request, error: XinError) -> BackgroundTask | None:
        """Return what is to be done behind the answer; None: there is nothing to write."""
        denial = _denial(request, error)
        return BackgroundTask(self._write, denial) if denial else None

    async def _write(self, denial: _Denial) -> None:
        for left_out in self._over():
            entry = left_out.denial.entry
            told = Entry(entry.actor, "leave_out_denials", "", {"left_out": left_out.count}, "denied", entry.ip)
            await self._record(replace(left_out.denial, entry=told))
        kind = f"{denial.whose}/{denial.entry.action}/{denial.entry.target}"
        try:
            await self._limits.take((_EACH, kind), (_WHOSE, denial.whose), (_ALL, ""))
        except TooManyRequests:
            self._leave_out(denial)
        else:
            await self._record(denial)

    def _leave_out(self, denial: _Denial) -> None:
        key = denial.whose, denial.chains, denial.person
        if key not in self._left_out and len(self._left_out) >= _MOST_COUNTED:
            entry = Entry("unknown", denial.entry.action, "", outcome="denied")
            key, denial = ("", frozenset(), None), _Denial(entry, frozenset())
        self._left_out.setdefault(key, _LeftOut(denial, self._clock())).count += 1

    def _over(self) -> list[_LeftOut]:
        """Take what was counted for a minute."""
        before = self._clock() - _EACH.seconds
        over = [key for key, left_out in self._left_out.items() if left_out.since <= before]
        return [self._left_out.pop(key) for key in over]

    async def _record(self, denial: _Denial) -> None:
        entry = denial.entry
        try:
            async with self._database.platform() as session:
                chains: Collection[UUID] = denial.chains
                if denial.person:
                    chains = await find_memberships(session, denial.person)
                await record(session, entry, chains)
        except (SQLAlchemyError, OSError) as trouble:
            log.warning("a denial could not be written down", action=entry.action, reason=type(trouble).__name__)


def install_denials(app: FastAPI, database: Database) -> None:
    """Have an app write down what it refuses."""
    denials = app.state.denials = Denials(database)
    for kind in (Forbidden, CredentialRefused):
        app.add_exception_handler(kind, denials.answer)


def _denial(request: Request, error: XinError) -> _Denial | None:
    action = str(getattr(request.scope.get("route"), "name", "unknown"))
    ip = request.client.host if request.client else None
    if isinstance(error, CredentialRefused):
        entry = Entry("unknown", action, error.whose, {"code": error.code}, "denied", ip)
        chains = frozenset([error.tenant_id] if error.tenant_id else [])
        return _Denial(entry, chains, _person(error.whose))
    acting: Acting | None = getattr(request.state, "acting", None)
    if acting is None:
        return None
    entry = Entry(acting.actor, action, acting.named_target(), {"reason": error.detail}, "denied", ip)
    if isinstance(error, RoleTooLow):
        return _Denial(entry, frozenset([error.tenant_id]))
    return _Denial(entry, acting.chains, _person(acting.actor) if not acting.chains else None)


def _network(address: str | None) -> str:
    """Of IPv6 what one customer is given as a whole, else the address."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return address or ""
    return str(ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


def _person(name: str) -> UUID | None:
    kind, _, user_id = name.partition(":")
    return UUID(user_id) if kind == "user" else None
