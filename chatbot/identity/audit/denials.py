"""What was refused, in the audit log: a role that does not reach, a wrong password, a key that was revoked.

The transaction of a refused request is undone, so its row has one of its own, written when the client has the answer:
nobody can tell by the time whether an account exists. A flood of refusals leaves some rows a minute and no more.
"""

from collections.abc import Collection
from dataclasses import dataclass
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
_ALL = Rate("denials-all", "denials", 120, 60.0)


@dataclass(frozen=True, slots=True)
class _Denial:
    entry: Entry
    chains: frozenset[UUID]
    person: UUID | None = None
    """Whose tenants are told, where no chain is known."""


class Denials:
    """Writes down what a process refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._limits = LocalLimits()

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
        entry = denial.entry
        try:
            await self._limits.take((_EACH, f"{entry.actor}/{entry.ip}/{entry.action}/{entry.target}"), (_ALL, ""))
        except TooManyRequests:
            return
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


def _person(name: str) -> UUID | None:
    kind, _, user_id = name.partition(":")
    return UUID(user_id) if kind == "user" else None
