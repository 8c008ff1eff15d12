"""The rows of the outbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chatbot.channels.contract import Call
from chatbot.core import correlation
from chatbot.core.ids import new_id
from chatbot.db.models import Delivery, DeliveryAttempt
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession

_RANK = "array_position(ARRAY['sent', 'delivered', 'read', 'failed'], {})"


@dataclass(frozen=True, slots=True)
class Head:
    """The first delivery of a lane that is not done; `blocked_until` is its account's."""

    id: UUID
    channel_id: UUID
    conversation_id: UUID | None
    message_id: UUID | None
    action: str
    body: dict[str, Any]
    attempts: int
    failures: int
    due_at: datetime
    created_at: datetime
    correlation_id: str | None
    blocked_until: datetime | None


_HEAD = text("""
SELECT d.id, d.channel_id, d.conversation_id, d.message_id, d.action, d.body, d.attempts, d.failures, d.due_at,
       d.created_at, d.correlation_id, s.blocked_until
FROM deliveries d
LEFT JOIN channel_states s ON s.tenant_id = d.tenant_id AND s.id = d.channel_id
WHERE d.tenant_id = :tenant_id AND d.lane = :lane AND d.status = 'pending'
ORDER BY d.position LIMIT 1
""")

_HOLD_LANE = text("SELECT pg_advisory_xact_lock(hashtextextended('lane:' || :lane, 0))")

# Only a pending one: a worker that was taken for dead must not undo what its successor did.
_SETTLE = text("""
WITH settled AS (
    UPDATE deliveries SET status = CAST(:status AS varchar), attempts = attempts + 1,
        failures = :failures, due_at = :due_at, last_error = :last_error,
        provider_message_id = coalesce(:provider_message_id, provider_message_id),
        finished_at = CASE WHEN CAST(:status AS varchar) = 'pending' THEN NULL ELSE now() END
    WHERE tenant_id = :tenant_id AND id = :id AND status = 'pending'
    RETURNING id, attempts, tenant_id, conversation_id, message_id
), tried AS (
    INSERT INTO delivery_attempts (tenant_id, id, delivery_id, number, outcome, words, took_ms)
    SELECT :tenant_id, :attempt_id, id, attempts, :outcome, :words, :took_ms FROM settled
)
SELECT attempts, pg_notify('xin_signal', CAST(jsonb_build_object('kind', 'delivery', 'tenant_id', tenant_id,
    'conversation_id', conversation_id, 'message_id', message_id) AS text)) FROM settled
""")

_RECEIPT = text(f"""
UPDATE deliveries SET receipt = CAST(:status AS text),
    last_error = coalesce(nullif(CAST(:reason AS text), ''), last_error)
WHERE tenant_id = :tenant_id AND channel_id = :channel_id AND provider_message_id = ANY(:ids)
  AND coalesce({_RANK.format("CAST(receipt AS text)")}, 0) < {_RANK.format("CAST(:status AS text)")}
RETURNING id, message_id
""")  # noqa: S608 - constants only

_RECEIPT_UNTIL = text(f"""
UPDATE deliveries SET receipt = CAST(:status AS text)
WHERE tenant_id = :tenant_id AND conversation_id = :conversation_id AND status = 'sent' AND finished_at <= :before
  AND coalesce({_RANK.format("CAST(receipt AS text)")}, 0) < {_RANK.format("CAST(:status AS text)")}
""")  # noqa: S608 - constants only

# Apart: each has its partial index, and together they would be a look at every delivery that there ever was.
_DEPTH = text("""
SELECT (SELECT count(*) FROM deliveries WHERE status = 'pending'),
       (SELECT count(*) FROM deliveries WHERE status = 'dead')
""")


async def add(
    session: TenantSession,
    calls: Sequence[Call],
    *,
    channel_id: UUID,
    lane: str,
    conversation_id: UUID | None,
    message_id: UUID | None,
    due_at: datetime,
) -> None:
    """Add the calls of one message, in order."""
    for call in calls:
        session.add(
            Delivery(
                tenant_id=session.tenant_id, id=new_id(), channel_id=channel_id, lane=lane,
                conversation_id=conversation_id, message_id=message_id, action=call.action, body=dict(call.body),
                due_at=due_at, correlation_id=correlation.current(),
            )
        )  # fmt: skip
        await session.flush()


async def hold_lane(session: TenantReader, lane: str) -> None:
    """Let nobody else add to a lane, or find that it is empty, before this transaction ends."""
    await session.execute(_HOLD_LANE, {"lane": lane})


async def head(session: TenantReader, lane: str) -> Head | None:
    """Return what a lane must send next."""
    row = (await session.execute(_HEAD, {"tenant_id": session.tenant_id, "lane": lane})).one_or_none()
    return Head(*row) if row else None


async def settle(
    session: TenantSession,
    delivery_id: UUID,
    *,
    status: str,
    outcome: str,
    words: str,
    failures: int,
    due_at: datetime,
    took_ms: int,
    provider_message_id: str | None = None,
) -> int | None:
    """Store what came of a try; return its number, None when the delivery was settled by somebody else."""
    values = {
        "tenant_id": session.tenant_id,
        "id": delivery_id,
        "attempt_id": new_id(),
        "status": status,
        "outcome": outcome,
        "words": words,
        "last_error": None if status == "sent" else words,
        "failures": failures,
        "due_at": due_at,
        "took_ms": took_ms,
        "provider_message_id": provider_message_id,
    }
    row = (await session.execute(_SETTLE, values)).one_or_none()
    return row[0] if row else None


async def receipt_for(
    session: TenantSession, channel_id: UUID, provider_message_ids: list[str], status: str, reason: str
) -> list[tuple[UUID, UUID | None]]:
    """Note what became of sent messages; one never goes back from `read` to `delivered`.

    Returns:
        `(delivery_id, message_id)` of those that changed.
    """
    values = {
        "tenant_id": session.tenant_id,
        "channel_id": channel_id,
        "ids": provider_message_ids,
        "status": status,
        "reason": reason,
    }
    return [(row[0], row[1]) for row in await session.execute(_RECEIPT, values)]


async def receipt_until(session: TenantSession, conversation_id: UUID, status: str, before: datetime) -> None:
    """Note what became of everything sent to a conversation up to a time."""
    values = {
        "tenant_id": session.tenant_id,
        "conversation_id": conversation_id,
        "status": status,
        "before": before,
    }
    await session.execute(_RECEIPT_UNTIL, values)


async def message_of(session: TenantReader, channel_id: UUID, provider_message_id: str) -> UUID | None:
    """Return our message that the provider calls so."""
    named = (
        Delivery.tenant_id == session.tenant_id,
        Delivery.channel_id == channel_id,
        Delivery.provider_message_id == provider_message_id,
    )
    return (await session.execute(select(Delivery.message_id).where(*named).limit(1))).scalar_one_or_none()


async def get(session: TenantReader, delivery_id: UUID) -> Delivery | None:
    """Return one delivery."""
    return await session.get(Delivery, (session.tenant_id, delivery_id))


async def tenant_of(session: PlatformSession, delivery_id: UUID) -> UUID | None:
    """Return whose delivery it is."""
    return (await session.execute(select(Delivery.tenant_id).where(Delivery.id == delivery_id))).scalar_one_or_none()


async def attempts_of(session: TenantReader, delivery_id: UUID) -> list[DeliveryAttempt]:
    """Return the tries of a delivery, in order."""
    owned = (DeliveryAttempt.tenant_id == session.tenant_id, DeliveryAttempt.delivery_id == delivery_id)
    return list(await session.scalars(select(DeliveryAttempt).where(*owned).order_by(DeliveryAttempt.number)))


async def page(
    session: TenantReader,
    *,
    status: str | None,
    channel_id: UUID | None,
    conversation_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[Delivery]:
    """Return the tenant's deliveries, newest first."""
    query = select(Delivery).where(Delivery.tenant_id == session.tenant_id)
    for column, wanted in (
        (Delivery.status, status),
        (Delivery.channel_id, channel_id),
        (Delivery.conversation_id, conversation_id),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if before is not None:
        query = query.where(Delivery.id < before)
    return list(await session.scalars(query.order_by(Delivery.id.desc()).limit(limit)))


async def depth(session: PlatformSession) -> tuple[int, int]:
    """Return how many deliveries of all tenants wait, and how many are dead letters."""
    row = (await session.execute(_DEPTH)).one()
    return int(row[0]), int(row[1])
