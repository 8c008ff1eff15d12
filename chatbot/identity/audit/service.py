"""Writing into the audit log, in the transaction of what is told."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from chatbot.core import correlation
from chatbot.core.clock import utcnow
from chatbot.db.sessions import PlatformSession, TenantSession
from chatbot.identity.audit import repository
from chatbot.identity.audit.chain import PLATFORM, Link, Outcome

MAX_DETAIL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """What is told.

    Attributes:
        actor: as `Subject.name`; `unknown` for somebody who did not prove who they are.
        action: a verb and what it is done to: `create_channel`, `sign_in`.
        target: kind and id: `channel:<id>`.
        detail: more of it; never a secret's value.
        ip: of the client.
    """

    actor: str
    action: str
    target: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    outcome: Outcome = "ok"
    ip: str | None = None


async def record(session: TenantSession | PlatformSession, entry: Entry, chains: Collection[UUID] = ()) -> None:
    """Append an entry; it stands when, and only when, the transaction does.

    Args:
        chains: across tenants: the tenants that it concerns; none: the platform's own chain.
    """
    own = {session.tenant_id} if isinstance(session, TenantSession) else set(chains) or {PLATFORM}
    for tenant_id in sorted(own):  # always in the same order, so that two writers cannot wait for each other
        seq, previous = await repository.lock_head(session, tenant_id)
        await repository.append(session, _link(tenant_id, seq + 1, entry), previous=previous)


def _link(tenant_id: UUID, seq: int, entry: Entry) -> Link:
    detail = orjson.dumps(dict(entry.detail), option=orjson.OPT_NON_STR_KEYS, default=str)
    if len(detail) > MAX_DETAIL_BYTES:
        detail = orjson.dumps({"left_out": f"{len(detail)} bytes"})
    return Link(
        tenant_id=tenant_id,
        seq=seq,
        occurred_at=utcnow(),
        actor=entry.actor[:200],
        action=entry.action[:100],
        target=entry.target[:200],
        outcome=entry.outcome,
        detail=detail.decode(),
        ip=entry.ip[:64] if entry.ip else None,
        correlation_id=correlation.current()[:128],
    )
