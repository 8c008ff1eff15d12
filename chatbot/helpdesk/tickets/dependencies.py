"""The parts of a process that the endpoints of tickets use."""

from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request

from chatbot.core.errors import InvalidInput
from chatbot.db.models import Ticket
from chatbot.db.sessions import Database
from chatbot.dialogue.transcripts.guard import LetterLimits
from chatbot.helpdesk.tickets import repository
from chatbot.helpdesk.tickets.guard import TicketLimits
from chatbot.helpdesk.tickets.service import TicketDesk
from chatbot.helpdesk.tickets.views import Names, assignees
from chatbot.identity.access.service import LOG_TOKEN_NAME
from chatbot.identity.dependencies import AskedTenant, Operator
from chatbot.identity.subject import Role, Subject


async def _desk(request: Request) -> TicketDesk:
    desk: TicketDesk = request.app.state.tickets
    return desk


async def _limits(request: Request) -> TicketLimits:
    limits: TicketLimits = request.app.state.ticket_limits
    return limits


async def _letters(request: Request) -> LetterLimits:
    letters: LetterLimits = request.app.state.letter_limits
    return letters


async def _client(request: Request) -> str | None:
    return request.client.host if request.client else None


TenantId = Annotated[
    UUID | None,
    Query(description="Else the header `X-Tenant-Id`, else the only tenant of the credential; `LOG_TOKEN` is of none."),
]
Desk = Annotated[TicketDesk, Depends(_desk)]
Limits = Annotated[TicketLimits, Depends(_limits)]
Letters = Annotated[LetterLimits, Depends(_letters)]
ClientAddress = Annotated[str | None, Depends(_client)]


async def reach(db: Database, caller: Subject, ticket_id: UUID, at_least: Role) -> UUID:
    """Return a ticket's tenant when the caller has at least this role in it; raises as `Subject.reach`."""
    async with db.platform() as session:
        tenant_id = await repository.tenant_of(session, ticket_id)
    return caller.reach(tenant_id, at_least, "ticket")


def tenant_of(caller: Subject, asked: UUID | None, named: UUID | None) -> UUID:
    """Return the tenant whose tickets are meant; whether the caller reaches it is not looked at.

    Args:
        asked: by the request itself, as `tenant_id`; `named` by the header `X-Tenant-Id`.

    Raises:
        InvalidInput: neither says which, and the credential is not of one tenant alone. `LOG_TOKEN` is of none.
    """
    own = None if caller.name == LOG_TOKEN_NAME else caller.only_tenant()
    tenant_id = asked or named or own
    if tenant_id is None:
        raise InvalidInput.field("tenant_id", "is needed, here or in the header X-Tenant-Id: the credential names none")
    return tenant_id


async def _tenant_asked(caller: Operator, named: AskedTenant, tenant_id: TenantId = None) -> UUID:
    return tenant_of(caller, tenant_id, named)


AskedTicketsOf = Annotated[UUID, Depends(_tenant_asked)]
"""The tenant whose tickets a request asks for, as `tenant_of`."""


async def names_of(db: Database, tickets: Iterable[Ticket]) -> Names:
    """Return the names that the views of tickets need."""
    wanted = assignees(tickets)
    if not wanted:
        return {}
    async with db.platform() as session:
        return await repository.names(session, wanted)


def is_program(caller: Subject) -> bool:
    """Whether no user calls, but a program with a key or a token."""
    return not caller.name.startswith("user:")
