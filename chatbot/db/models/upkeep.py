"""What was removed, and what was taken out of service: receipts without anything of whom they are about."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.db.models.base import EMPTY_OBJECT, Base, CreatedAt, ShortText, TenantOwned


class Erasure(TenantOwned, Base):
    """A visitor was erased. `visitor_hash` tells whoever knows the visitor's name that it was this one.

    `removed` counts by place: rows by table, files, sessions, exports, lines of logs.
    """

    __tablename__ = "erasures"
    __table_args__ = (
        CheckConstraint("named_by IN ('visitor', 'conversation', 'email')", name="named_by"),
        Index("ix_erasures_id", "id"),  # whose is it, for callers that reach several tenants
    )

    requested_by: Mapped[ShortText]
    named_by: Mapped[str] = mapped_column(String(20))
    visitor_hash: Mapped[str] = mapped_column(String(64))
    removed: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    created_at: Mapped[CreatedAt]


class RetentionRun(TenantOwned, Base):
    """What was removed by age in one go: the limits that held, and how much fell behind them, by kind."""

    __tablename__ = "retention_runs"
    __table_args__ = (Index("ix_retention_runs_started_at", "tenant_id", "started_at"),)

    started_by: Mapped[ShortText]
    cutoffs: Mapped[dict[str, Any]]
    removed: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    started_at: Mapped[CreatedAt]
    finished_at: Mapped[datetime | None]


class Decommission(Base):
    """A tenant was taken out of service: what was archived where, and hashes of the secrets that were destroyed."""

    __tablename__ = "decommissions"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    requested_by: Mapped[ShortText]
    receipt: Mapped[dict[str, Any]]
    created_at: Mapped[CreatedAt]
