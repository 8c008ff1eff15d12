"""A ticket's clocks on its row, and what a tenant's policy promises."""

from dataclasses import dataclass
from datetime import datetime

from chatbot.db.models import Ticket
from chatbot.db.sessions import TenantReader
from chatbot.helpdesk.tickets import clocks
from chatbot.helpdesk.tickets.clocks import Clock
from chatbot.identity.policies.hours import OpeningHours
from chatbot.identity.policies.schemas import TenantPolicy
from chatbot.identity.policies.service import current_policy
from chatbot.identity.tenants.service import require_tenant


@dataclass(frozen=True, slots=True)
class Promises:
    """What a tenant promises, and its hours."""

    policy: TenantPolicy
    hours: OpeningHours

    def minutes(self, priority: str) -> tuple[int | None, int | None]:
        """Return the open minutes to the first response and to the resolution; None where nothing is promised."""
        sla = self.policy.sla
        if sla is None:
            return None, None
        return getattr(sla.first_response_minutes, priority), getattr(sla.resolution_minutes, priority)

    def begin(self, ticket: Ticket, now: datetime) -> None:
        """Start both clocks."""
        first, resolution = self.minutes(ticket.priority)
        _set(ticket, clocks.begin(first, self.hours, now), clocks.begin(resolution, self.hours, now))

    def change_priority(self, ticket: Ticket, now: datetime) -> None:
        """Promise what the ticket's present priority is promised."""
        (first, resolution), (answer, solution) = clocks_of(ticket), self.minutes(ticket.priority)
        first, resolution = (
            clocks.promise(first, answer, self.hours, now),
            clocks.promise(resolution, solution, self.hours, now),
        )
        if ticket.status == "pending":  # a clock that begins here waits for the requester, too
            first, resolution = clocks.pause(first, self.hours, now), clocks.pause(resolution, self.hours, now)
        _set(ticket, first, resolution)

    def respond(self, ticket: Ticket, now: datetime) -> None:
        """Note a response."""
        first, resolution = clocks_of(ticket)
        _set(ticket, clocks.meet(first, self.hours, now), resolution)

    def change_status(self, ticket: Ticket, before: str, now: datetime) -> None:
        """Let the clocks follow the ticket's present status; what is solved without a word needs no response."""
        first, resolution = clocks_of(ticket)
        if before in ("solved", "closed") and ticket.status == "open":
            resolution = clocks.reopen(resolution, self.hours, now)
        step = {"pending": clocks.pause, "open": clocks.resume}.get(ticket.status, clocks.meet)
        _set(ticket, step(first, self.hours, now), step(resolution, self.hours, now))


async def promises(session: TenantReader) -> Promises:
    """Return what the session's tenant promises.

    Raises:
        NotFound: no such tenant.
    """
    tenant, policy = await require_tenant(session), await current_policy(session)
    return Promises(policy, OpeningHours.of(policy.hours, tenant.timezone))


def clocks_of(ticket: Ticket) -> tuple[Clock, Clock]:
    """Return the clocks to the first response and to the resolution."""
    first = Clock(
        ticket.first_response_minutes,
        ticket.first_response_due_at,
        ticket.first_response_left,
        ticket.first_responded_at,
    )
    resolution = Clock(ticket.resolution_minutes, ticket.resolution_due_at, ticket.resolution_left, ticket.resolved_at)
    return first, resolution


def _set(ticket: Ticket, first: Clock, resolution: Clock) -> None:
    ticket.first_response_minutes, ticket.first_response_due_at = first.minutes, first.due_at
    ticket.first_response_left, ticket.first_responded_at = first.left, first.met_at
    ticket.resolution_minutes, ticket.resolution_due_at = resolution.minutes, resolution.due_at
    ticket.resolution_left, ticket.resolved_at = resolution.left, resolution.met_at
