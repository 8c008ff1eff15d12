"""Who a visitor is in the rows, and the receipts of erasures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select

from chatbot.db.models import Erasure
from chatbot.db.sessions import PlatformSession, TenantReader, fetch

# Who one person is in a conversation. What began it may speak for many: a channel for everybody who writes to it, a
# gateway or a key for all of its visitors. Of a channel's visitors the provider's id tells, of the others nothing does.
_PERSON = """CASE WHEN starts_with(c.owner, 'visitor:') THEN c.owner
    WHEN starts_with(c.owner, 'channel:') AND c.visitor->>'id' <> '' THEN ch.channel_type || ':' || (c.visitor->>'id')
END"""

_CONVERSATIONS = f"""
SELECT c.id, {_PERSON}, c.visitor
FROM conversations c JOIN channels ch ON ch.tenant_id = c.tenant_id AND ch.id = c.channel_id
WHERE c.tenant_id = %(tenant_id)s
  AND ({_PERSON} = ANY(%(subjects)s::text[])
       OR c.id = CAST(%(conversation_id)s AS uuid)
       OR lower(c.visitor->>'email') = %(email)s OR lower(c.visitor->>'address') = %(email)s)
"""  # noqa: S608 - constants only

_VISITORS = """
SELECT subject, fields FROM visitors
WHERE tenant_id = %(tenant_id)s AND (subject = ANY(%(subjects)s::text[]) OR lower(fields->>'email') = %(email)s)
"""

_TICKETS = """
SELECT id, requester_email FROM tickets
WHERE tenant_id = %(tenant_id)s
  AND (conversation_id = ANY(%(conversations)s::uuid[]) OR lower(requester_email) = ANY(%(addresses)s::text[]))
"""

_KEEP = """
INSERT INTO erasures (tenant_id, id, requested_by, named_by, visitor_hash, removed)
VALUES (%(tenant_id)s, %(id)s, %(requested_by)s, %(named_by)s, %(visitor_hash)s, %(removed)s::jsonb)
RETURNING created_at
"""

# By what the inbox shows of a visitor: the id, or the name that conversations and tickets go by.
_KNOWN_AS = f"""
SELECT DISTINCT person FROM (
    SELECT {_PERSON} AS person, c.visitor AS said
    FROM conversations c JOIN channels ch ON ch.tenant_id = c.tenant_id AND ch.id = c.channel_id
    WHERE c.tenant_id = %(tenant_id)s
    UNION ALL
    SELECT subject, fields FROM visitors WHERE tenant_id = %(tenant_id)s
) AS known
WHERE person = %(name)s OR split_part(person, ':', 1) || ':' || %(name)s = person
   OR lower(said->>'name') = lower(%(name)s) OR lower(said->>'username') = lower(%(name)s)
ORDER BY person LIMIT 20
"""  # noqa: S608 - constants only

_ERASED = "SELECT EXISTS (SELECT FROM erasures WHERE tenant_id = %s AND visitor_hash = %s)"

_TELL = """
SELECT pg_notify('xin_signal', CAST(jsonb_build_object(
    'kind', 'erased', 'tenant_id', CAST(%(tenant_id)s AS uuid), 'conversation_id', id) AS text))
FROM unnest(%(conversations)s::uuid[]) AS id
"""

_WHO = f"""
SELECT {_PERSON} FROM conversations c JOIN channels ch ON ch.tenant_id = c.tenant_id AND ch.id = c.channel_id
WHERE c.tenant_id = %s AND c.id = %s
"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class Said:
    """A conversation or record of a visitor: who they are in it (None: it does not tell), and what they said."""

    id: UUID | None
    subject: str | None
    fields: Mapping[str, Any]


async def person_in(session: PlatformSession, tenant_id: UUID, conversation_id: UUID) -> tuple[str | None] | None:
    """Return who the visitor of a conversation is, where one person is known by that, as a tuple of one.

    Returns:
        None: there is no such conversation.
    """
    rows = await fetch(session, _WHO, (tenant_id, conversation_id))
    return (rows[0][0],) if rows else None


async def known_as(session: PlatformSession, tenant_id: UUID, name: str) -> list[str]:
    """Return whom a name, an id, or who somebody is in conversations can mean; at most 20."""
    return [row[0] for row in await fetch(session, _KNOWN_AS, {"tenant_id": tenant_id, "name": name})]


async def conversations(
    session: PlatformSession,
    tenant_id: UUID,
    *,
    subjects: Sequence[str],
    conversation_id: UUID | None,
    email: str,
    hold: bool,
) -> list[Said]:
    """Return a visitor's conversations; held until the transaction ends, a turn under way finds its own gone."""
    values = {
        "tenant_id": tenant_id, "subjects": list(subjects), "conversation_id": conversation_id, "email": email or None,
    }  # fmt: skip
    query = f"{_CONVERSATIONS} FOR UPDATE OF c" if hold else _CONVERSATIONS
    return [Said(*row) for row in await fetch(session, query, values)]


async def visitors(session: PlatformSession, tenant_id: UUID, subjects: Sequence[str], email: str) -> list[Said]:
    """Return what a visitor said in forms."""
    values = {"tenant_id": tenant_id, "subjects": list(subjects), "email": email or None}
    return [Said(None, *row) for row in await fetch(session, _VISITORS, values)]


async def tickets(
    session: PlatformSession,
    tenant_id: UUID,
    conversation_ids: Sequence[UUID],
    addresses: Sequence[str],
    *,
    hold: bool,
) -> list[tuple[UUID, str | None]]:
    """Return a visitor's tickets with the requesters' addresses; held, nobody else changes them meanwhile."""
    values = {"tenant_id": tenant_id, "conversations": list(conversation_ids), "addresses": list(addresses)}
    query = f"{_TICKETS} FOR UPDATE" if hold else _TICKETS
    return [(row[0], row[1]) for row in await fetch(session, query, values)]


async def keep(session: PlatformSession, receipt: Erasure) -> None:
    """Store a receipt."""
    values = {
        "tenant_id": receipt.tenant_id, "id": receipt.id, "requested_by": receipt.requested_by[:200],
        "named_by": receipt.named_by, "visitor_hash": receipt.visitor_hash,
        "removed": orjson.dumps(receipt.removed).decode(),
    }  # fmt: skip
    receipt.created_at = (await fetch(session, _KEEP, values))[0][0]


async def was_erased(session: PlatformSession, tenant_id: UUID, visitor_hash: str) -> bool:
    """Whether there is a receipt for whoever was named so."""
    return bool((await fetch(session, _ERASED, (tenant_id, visitor_hash)))[0][0])


async def tell(session: PlatformSession, tenant_id: UUID, conversation_ids: Sequence[UUID]) -> None:
    """Let inboxes that are open know, once the transaction is final: no row may hold what they have to forget."""
    await fetch(session, _TELL, {"tenant_id": tenant_id, "conversations": list(conversation_ids)})


async def page(session: TenantReader, *, before: UUID | None, limit: int) -> list[Erasure]:
    """Return receipts, newest first."""
    query = select(Erasure).where(Erasure.tenant_id == session.tenant_id).order_by(Erasure.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Erasure.id < before)
    return list(await session.scalars(query))


async def complete(session: PlatformSession, receipt: Erasure, removed: Mapping[str, Any]) -> None:
    """Say in a receipt what went from beside the database too."""
    values = (orjson.dumps(dict(removed)).decode(), receipt.tenant_id, receipt.id)
    await fetch(session, "UPDATE erasures SET removed = %s::jsonb WHERE tenant_id = %s AND id = %s", values)
