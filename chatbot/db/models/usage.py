"""What model calls cost: a row per call, and a counter per tenant and day."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.db.models.base import Base, CreatedAt, TenantOwned


class UsageRecord(TenantOwned, Base):
    """One model call. Money in millionths of a US dollar."""

    __tablename__ = "usage_records"
    __table_args__ = (Index("ix_usage_records_tenant_id_created_at", "tenant_id", "created_at"),)

    message_id: Mapped[UUID | None]
    purpose: Mapped[str] = mapped_column(String(40))
    model: Mapped[str] = mapped_column(String(200))
    outcome: Mapped[str] = mapped_column(String(40))
    input_tokens: Mapped[int]
    output_tokens: Mapped[int]
    estimated: Mapped[bool] = mapped_column(server_default=text("false"))
    cost_micros: Mapped[int]
    milliseconds: Mapped[int]
    created_at: Mapped[CreatedAt]


class BudgetAlert(Base):
    """Administrators were told that so much of a limit is used, in the day or month that began then."""

    __tablename__ = "budget_alerts"
    __table_args__ = (CheckConstraint("level IN ('warn', 'degrade', 'stop')", name="level"),)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    limit_name: Mapped[str] = mapped_column(String(40), primary_key=True)
    period: Mapped[date] = mapped_column(primary_key=True)
    level: Mapped[str] = mapped_column(String(20), primary_key=True)
    created_at: Mapped[CreatedAt]


class DailyUsage(Base):
    """Tokens and money of a tenant on one UTC day; budgets are checked against it."""

    __tablename__ = "daily_usage"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    tokens: Mapped[int] = mapped_column(server_default=text("0"))
    cost_micros: Mapped[int] = mapped_column(server_default=text("0"))
