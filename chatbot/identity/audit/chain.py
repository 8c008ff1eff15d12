"""The chain: each row holds the hash of the one before, so a row that is changed, added or taken out breaks it."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import orjson

Outcome = Literal["ok", "denied"]

PLATFORM = UUID(int=0)
"""The chain of what concerns no tenant, in place of a tenant's id."""

GENESIS = "0" * 64
"""What stands before the first row of a chain."""


@dataclass(frozen=True, slots=True)
class Link:
    """A row of a chain as its hash sees it; `detail` is the JSON text as it is stored."""

    tenant_id: UUID
    seq: int
    occurred_at: datetime
    actor: str
    action: str
    target: str
    outcome: Outcome
    detail: str
    ip: str | None
    correlation_id: str | None

    def hash_after(self, previous: str) -> str:
        """Return SHA-256, hex, of the hash before and the row as a JSON array in the order of the fields."""
        moment = self.occurred_at.astimezone(UTC).isoformat(timespec="microseconds")
        row = [
            str(self.tenant_id), self.seq, moment, self.actor, self.action, self.target, self.outcome, self.detail,
            self.ip, self.correlation_id,
        ]  # fmt: skip
        return hashlib.sha256(previous.encode() + orjson.dumps(row)).hexdigest()
