"""The rows of agents: users and keys across tenants, and what a tenant knows of whoever answers its visitors."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, tuple_
from sqlalchemy.orm import aliased

from chatbot.core import correlation
from chatbot.db.models import Agent as AgentRow
from chatbot.db.models import ApiKey, Membership, User
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession
from chatbot.dialogue.handoff.parts import Agent

_ANSWERING = ("tenant_admin", "agent")

_KEEP = text("""
INSERT INTO agents (tenant_id, id, name, email, avatar_url)
VALUES (:tenant_id, :id, :name, :email, :avatar_url)
ON CONFLICT (tenant_id, id) DO UPDATE
SET name = excluded.name, email = excluded.email, avatar_url = excluded.avatar_url
WHERE (agents.name, agents.email, agents.avatar_url)
    IS DISTINCT FROM (excluded.name, excluded.email, excluded.avatar_url)
""")

_OPEN_OF = text("""
SELECT assignee_id, count(*) FROM conversations
WHERE tenant_id = :tenant_id AND state = 'human' GROUP BY assignee_id
""")

# The change, and its entry in the log, in one statement; nothing where nothing changes but the time of being seen.
_PRESENT = text("""
WITH known AS (
    SELECT id, presence AS told, coalesce(CAST(:chosen AS text), chosen) AS chosen FROM agents
    WHERE tenant_id = :tenant_id AND id = :id FOR UPDATE
), seen AS (
    UPDATE agents SET chosen = known.chosen, presence = known.chosen, seen_at = now(),
        away_since = CASE WHEN known.chosen = 'online' THEN NULL ELSE coalesce(away_since, now()) END
    FROM known WHERE agents.tenant_id = :tenant_id AND agents.id = known.id
    RETURNING agents.id, agents.name, agents.presence, known.told
), logged AS (
    INSERT INTO events (tenant_id, name, payload, correlation_id)
    SELECT :tenant_id, 'agent.presence',
           jsonb_build_object('agent_id', id, 'agent_name', name, 'presence', presence), :correlation_id
    FROM seen WHERE presence <> told
)
SELECT presence FROM seen
""")

_SILENT = text("""
WITH silent AS (
    UPDATE agents SET presence = 'offline', away_since = coalesce(away_since, seen_at)
    WHERE presence <> 'offline' AND seen_at < now() - make_interval(secs => :seconds)
    RETURNING tenant_id, id, name
)
INSERT INTO events (tenant_id, name, payload)
SELECT tenant_id, 'agent.presence', jsonb_build_object('agent_id', id, 'agent_name', name, 'presence', 'offline')
FROM silent RETURNING tenant_id
""")

# Whoever may not answer any more (another role, out of the tenant, shut out, deleted; a program, when none of its keys
# is good) does not come back in time.
_HOLDING_NOBODY = text("""
SELECT c.tenant_id, c.id, a.id, greatest(coalesce(a.away_since, now()), c.assigned_at), gone.for_good
FROM agents a
JOIN conversations c ON c.tenant_id = a.tenant_id AND c.assignee_id = a.id AND c.state = 'human'
CROSS JOIN LATERAL (SELECT EXISTS (
    SELECT FROM users u WHERE u.id = a.id AND (
        u.status <> 'active' OR u.deleted_at IS NOT NULL
        OR NOT u.is_platform_admin AND NOT EXISTS (
            SELECT FROM memberships m
            WHERE m.tenant_id = a.tenant_id AND m.user_id = u.id AND m.role = ANY(:answering)))
) OR coalesce((
    SELECT NOT bool_or(k.role = ANY(:answering) AND k.revoked_at IS NULL AND coalesce(k.expires_at > now(), true))
    FROM api_keys k WHERE k.tenant_id = a.tenant_id AND a.id IN (k.id, k.agent_id)
), false) AS for_good) AS gone
WHERE a.away_since IS NOT NULL OR gone.for_good ORDER BY c.tenant_id, c.id LIMIT 5000
""")


@dataclass(frozen=True, slots=True)
class Member:
    """A user who may answer a tenant's visitors."""

    agent: Agent
    role: str


@dataclass(frozen=True, slots=True)
class Left:
    """A conversation whose agent is away, and since when; `for_good`: the agent may not answer any more."""

    tenant_id: UUID
    conversation_id: UUID
    agent_id: UUID
    since: datetime
    for_good: bool


async def user(session: PlatformSession, user_id: UUID) -> Agent | None:
    """Return a user as an agent."""
    query = select(User.id, User.name, User.email, User.avatar_url).where(User.id == user_id)
    row = (await session.execute(query)).one_or_none()
    return Agent(*row) if row else None


async def key(session: PlatformSession, key_id: UUID) -> Agent | None:
    """Return a program with a key as an agent."""
    query = select(func.coalesce(ApiKey.agent_id, ApiKey.id), ApiKey.name).where(ApiKey.id == key_id)
    row = (await session.execute(query)).one_or_none()
    return Agent(*row) if row else None


async def members(
    session: PlatformSession,
    tenant_id: UUID,
    only: UUID | None = None,
    after: UUID | None = None,
    limit: int | None = None,
) -> list[Member]:
    """Return who may answer a tenant's visitors, by name; those behind a user (`after`), at most `limit`."""
    query = (
        select(User.id, User.name, User.email, User.avatar_url, Membership.role)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.tenant_id == tenant_id, Membership.role.in_(_ANSWERING))
        .where(User.status == "active", User.deleted_at.is_(None))
        .order_by(User.name, User.id)
        .limit(limit)
    )
    if only is not None:
        query = query.where(User.id == only)
    if after is not None:
        last = aliased(User)
        query = query.join(last, last.id == after).where(tuple_(User.name, User.id) > tuple_(last.name, last.id))
    return [Member(Agent(*row[:4]), row.role) for row in await session.execute(query)]


async def keep(session: TenantSession, agent: Agent) -> None:
    """Let the tenant know an agent by its present name."""
    values = {
        "tenant_id": session.tenant_id,
        "id": agent.id,
        "name": agent.name[:200],
        "email": agent.email,
        "avatar_url": agent.avatar_url,
    }
    await session.execute(_KEEP, values)


async def known(session: TenantReader, ids: Collection[UUID]) -> dict[UUID, AgentRow]:
    """Return what the tenant knows of agents."""
    query = select(AgentRow).where(AgentRow.tenant_id == session.tenant_id, AgentRow.id.in_(ids))
    return {row.id: row for row in await session.scalars(query)}


async def open_conversations(session: TenantReader) -> dict[UUID, int]:
    """Return how many conversations each agent has."""
    rows = await session.execute(_OPEN_OF, {"tenant_id": session.tenant_id})
    return {row[0]: row[1] for row in rows}


async def seen(session: TenantSession, agent_id: UUID, chosen: str | None) -> str | None:
    """Note that an agent is heard of, and what it says of itself; return its presence, None when it is not known."""
    values: dict[str, Any] = {
        "tenant_id": session.tenant_id,
        "id": agent_id,
        "chosen": chosen,
        "correlation_id": correlation.current(),
    }
    return (await session.execute(_PRESENT, values)).scalar_one_or_none()


async def miss_silent(session: PlatformSession, seconds: float) -> int:
    """Take agents for gone of whom nothing was heard for so long; return how many."""
    return len((await session.execute(_SILENT, {"seconds": seconds})).all())


async def left_behind(session: PlatformSession) -> list[Left]:
    """Return the conversations of agents who are away, or may not answer any more, of all tenants."""
    return [Left(*row) for row in await session.execute(_HOLDING_NOBODY, {"answering": list(_ANSWERING)})]
