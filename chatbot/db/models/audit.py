"""The audit log: a chain of rows a tenant, and one of the platform, each row sealed by a hash over the one before."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, String
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.db.models.base import Base, ShortText


class AuditEvent(Base):
    """Who did what to which, and whether it was allowed. Nobody but the owner of the database can change a row.

    No foreign key leads to the tenant: what was done to it is known also when it is gone. `detail` is JSON as it was
    written, not JSONB, which would write numbers and keys in its own way: the hash is over its text.
    """

    __tablename__ = "audit_events"
    __table_args__ = (CheckConstraint("outcome IN ('ok', 'denied')", name="outcome"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    occurred_at: Mapped[datetime]
    actor: Mapped[ShortText]
    action: Mapped[str] = mapped_column(String(100))
    target: Mapped[ShortText]
    outcome: Mapped[str] = mapped_column(String(20))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    ip: Mapped[str | None] = mapped_column(String(64))
    correlation_id: Mapped[str | None] = mapped_column(String(128))
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The last row of a chain. Whoever writes the next one holds this row until the transaction ends."""

    __tablename__ = "audit_heads"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(server_default=sql("0"))
    hash: Mapped[str] = mapped_column(String(64))
