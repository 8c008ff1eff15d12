"""The rows of tickets and their comments."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import undefer

from chatbot.db.models import Brand, Membership, Tenant, Ticket, TicketComment, TicketCounter, User
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession, fetch

TURN = "turn"
"""Who opened a ticket that the bot opened: `turn:<the visitor's message>`."""

_ASSIGNABLE = ("agent", "tenant_admin")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tickets are looked for; None leaves a field alone, and `breached_at` is the moment to be late at."""

    status: str | None = None
    priority: str | None = None
    assignee_id: UUID | None = None
    brand_id: UUID | None = None
    conversation_id: UUID | None = None
    words: str = ""
    breached_at: datetime | None = None


# Both clocks in one statement: a ticket is locked once, and its events are in the transaction that marks it.
_BREACH = """
WITH late AS (
    SELECT tenant_id, id FROM tickets
    WHERE first_responded_at IS NULL AND first_response_due_at < %(now)s AND first_response_breached_at IS NULL
       OR resolved_at IS NULL AND resolution_due_at < %(now)s AND resolution_breached_at IS NULL
    ORDER BY tenant_id, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), found AS (
    SELECT t.*, clock, due_at FROM late JOIN tickets t USING (tenant_id, id), LATERAL (VALUES
        ('first_response', CASE WHEN first_responded_at IS NULL AND first_response_breached_at IS NULL
            THEN first_response_due_at END),
        ('resolution', CASE WHEN resolved_at IS NULL AND resolution_breached_at IS NULL THEN resolution_due_at END)
    ) AS clocks(clock, due_at) WHERE due_at < %(now)s
), marked AS (
    UPDATE tickets t SET
        first_response_breached_at = CASE WHEN 'first_response' = ANY(f.clocks) THEN %(now)s
            ELSE first_response_breached_at END,
        resolution_breached_at = CASE WHEN 'resolution' = ANY(f.clocks) THEN %(now)s ELSE resolution_breached_at END
    FROM (SELECT tenant_id, id, array_agg(clock) AS clocks FROM found GROUP BY tenant_id, id) AS f
    WHERE t.tenant_id = f.tenant_id AND t.id = f.id
)
INSERT INTO events (tenant_id, name, payload)
SELECT tenant_id, 'ticket.sla_breached', jsonb_build_object('ticket_id', id, 'number', number, 'brand_id', brand_id,
    'conversation_id', conversation_id, 'assignee_id', assignee_id, 'priority', priority, 'clock', clock,
    'due_at', to_char(due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
FROM found RETURNING id
"""


async def next_number(session: TenantSession) -> int:
    """Return the next number of the tenant's tickets; whoever asks next waits until this transaction ends."""
    counter = insert(TicketCounter).values(tenant_id=session.tenant_id, last_number=1)
    following = counter.on_conflict_do_update(
        index_elements=["tenant_id"], set_={"last_number": TicketCounter.last_number + 1}
    )
    return (await session.execute(following.returning(TicketCounter.last_number))).scalar_one()


async def tenant_of(session: PlatformSession, ticket_id: UUID) -> UUID | None:
    """Return whose ticket it is."""
    return (await session.execute(select(Ticket.tenant_id).where(Ticket.id == ticket_id))).scalar_one_or_none()


async def names(session: PlatformSession, user_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of users."""
    if not user_ids:
        return {}
    return dict((await session.execute(select(User.id, User.name).where(User.id.in_(user_ids)))).tuples().all())


async def assignable(session: TenantReader, user_id: UUID) -> bool:
    """Whether a user may be given tickets of the tenant."""
    member = (Membership.tenant_id == session.tenant_id, Membership.user_id == user_id)
    query = select(Membership.user_id).where(*member, Membership.role.in_(_ASSIGNABLE))
    return (await session.execute(query)).scalar_one_or_none() is not None


async def brand_for(session: TenantReader, brand_id: UUID | None) -> UUID | None:
    """Return the brand asked for, else the tenant's default one; None when there is no such brand."""
    query = (
        select(Brand.id)
        .join(Tenant, Tenant.id == Brand.tenant_id)
        .where(Tenant.id == session.tenant_id, Tenant.deleted_at.is_(None))
        .where(Brand.id == (brand_id or Tenant.default_brand_id))
    )
    return (await session.execute(query)).scalar_one_or_none()


async def brand_name(session: TenantReader, brand_id: UUID) -> str:
    """Return the name of a brand."""
    owned = (Brand.tenant_id == session.tenant_id, Brand.id == brand_id)
    return (await session.execute(select(Brand.name).where(*owned))).scalar_one()


async def get(session: TenantReader, ticket_id: UUID, *, whole: bool = False) -> Ticket | None:
    """Return a ticket; its transcript only when it is wanted whole."""
    options = [undefer(Ticket.transcript)] if whole else []
    return await session.get(Ticket, (session.tenant_id, ticket_id), options=options)


async def opened_by_bot(session: TenantReader, conversation_id: UUID) -> list[Ticket]:
    """Return the tickets that the bot opened in a conversation, newest first."""
    owned = (Ticket.tenant_id == session.tenant_id, Ticket.conversation_id == conversation_id)
    query = select(Ticket).where(*owned, Ticket.created_by.startswith(f"{TURN}:")).order_by(Ticket.id.desc())
    return list(await session.scalars(query))


async def lock(session: TenantSession, ticket_id: UUID) -> Ticket | None:
    """Return a ticket that nobody else changes until the transaction ends."""
    return await session.get(Ticket, (session.tenant_id, ticket_id), with_for_update=True)


async def lock_thread(session: TenantSession, mail_thread: str) -> Ticket | None:
    """Return the ticket whose mails have that thread, locked."""
    named = (Ticket.tenant_id == session.tenant_id, Ticket.mail_thread == mail_thread)
    return (await session.scalars(select(Ticket).where(*named).with_for_update())).one_or_none()


async def page(
    session: TenantReader, wanted: Filter, *, before: UUID | None, limit: int, whole: bool = False
) -> list[Ticket]:
    """Return the tenant's tickets that are looked for, newest first."""
    query = select(Ticket).where(Ticket.tenant_id == session.tenant_id, *_conditions(wanted))
    if before is not None:
        query = query.where(Ticket.id < before)
    if whole:
        query = query.options(undefer(Ticket.transcript))
    return list(await session.scalars(query.order_by(Ticket.id.desc()).limit(limit)))


async def comments_of(session: TenantReader, ticket_ids: Collection[UUID]) -> dict[UUID, list[TicketComment]]:
    """Return the comments of tickets, in order, by the ticket's id."""
    owned = (TicketComment.tenant_id == session.tenant_id, TicketComment.ticket_id.in_(ticket_ids))
    found: dict[UUID, list[TicketComment]] = {ticket_id: [] for ticket_id in ticket_ids}
    for comment in await session.scalars(select(TicketComment).where(*owned).order_by(TicketComment.id)):
        found[comment.ticket_id].append(comment)
    return found


async def comments_after(
    session: TenantReader, ticket_id: UUID, *, after: UUID | None, limit: int
) -> list[TicketComment]:
    """Return comments of a ticket, in order, from behind one (`after`) on."""
    query = select(TicketComment).where(
        TicketComment.tenant_id == session.tenant_id, TicketComment.ticket_id == ticket_id
    )
    if after is not None:
        query = query.where(TicketComment.id > after)
    return list(await session.scalars(query.order_by(TicketComment.id).limit(limit)))


async def get_comment(session: TenantReader, comment_id: UUID) -> TicketComment | None:
    """Return one comment."""
    return await session.get(TicketComment, (session.tenant_id, comment_id))


async def mark_breached(session: PlatformSession, now: datetime, limit: int) -> int:
    """Mark clocks of all tenants whose end has passed, each once, with its event; return how many."""
    return len(await fetch(session, _BREACH, {"now": now, "limit": limit}))


def _conditions(wanted: Filter) -> Sequence[ColumnElement[bool]]:
    equal: tuple[tuple[Any, Any], ...] = (
        (Ticket.status, wanted.status),
        (Ticket.priority, wanted.priority),
        (Ticket.assignee_id, wanted.assignee_id),
        (Ticket.brand_id, wanted.brand_id),
        (Ticket.conversation_id, wanted.conversation_id),
    )
    found: list[ColumnElement[bool]] = [column == value for column, value in equal if value is not None]
    found += [Ticket.search_text.contains(word, autoescape=True) for word in wanted.words.split()]
    if wanted.breached_at:
        late = wanted.breached_at
        found.append(
            or_(
                and_(Ticket.first_responded_at.is_(None), Ticket.first_response_due_at < late),
                and_(Ticket.resolved_at.is_(None), Ticket.resolution_due_at < late),
            )
        )
    return found
