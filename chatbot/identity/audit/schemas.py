"""Bodies of the audit log."""

from typing import Any, Self
from uuid import UUID

import orjson

from chatbot.core.schemas import ResponseBody, Timestamp
from chatbot.identity.audit.chain import Outcome
from chatbot.identity.audit.reading import NamedLink

COLUMNS = (
    "id", "occurred_at", "actor", "actor_name", "action", "target", "outcome", "detail", "ip", "correlation_id",
    "previous_hash", "hash",
)  # fmt: skip


class AuditEventView(ResponseBody):
    """A row of the audit log; `id` counts from 1 within the chain."""

    id: int
    occurred_at: Timestamp
    actor: str
    actor_name: str | None
    action: str
    target: str
    outcome: Outcome
    detail: dict[str, Any]
    ip: str | None
    correlation_id: str | None
    previous_hash: str
    hash: str

    @classmethod
    def of(cls, row: NamedLink) -> Self:
        """Return the view of a row."""
        link = row.stored.link
        return cls(
            id=link.seq,
            occurred_at=link.occurred_at,
            actor=link.actor,
            actor_name=row.actor_name,
            action=link.action,
            target=link.target,
            outcome=link.outcome,
            detail=orjson.loads(link.detail),
            ip=link.ip,
            correlation_id=link.correlation_id,
            previous_hash=row.stored.previous_hash,
            hash=row.stored.hash,
        )


class ChainVerdict(ResponseBody):
    """Whether a chain holds: how many rows do from the first on, the hash of the last of them, and what is wrong."""

    ok: bool
    rows: int
    head: str
    broken_at: int | None
    words: str
    tenant_id: UUID | None
