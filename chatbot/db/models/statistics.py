"""Figures of past days, so that a report reads a row a day instead of every message."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.db.models.base import EMPTY_OBJECT, Base, TenantOwned


class DailyStatistics(TenantOwned, Base):
    """What happened on one day of the tenant's time zone, by brand and kind of channel; null: of none.

    `first_response` and `handoff_wait` are histograms: bucket to count (see `ops/analytics/histogram.py`).
    """

    __tablename__ = "daily_statistics"
    __table_args__ = (Index("ix_daily_statistics_tenant_id_day", "tenant_id", "day"),)

    day: Mapped[date]
    brand_id: Mapped[UUID | None]
    channel_type: Mapped[str | None] = mapped_column(String(20))
    conversations: Mapped[int] = mapped_column(server_default=sql("0"))
    messages: Mapped[int] = mapped_column(server_default=sql("0"))
    answered_by_bot: Mapped[int] = mapped_column(server_default=sql("0"))
    no_answer: Mapped[int] = mapped_column(server_default=sql("0"))
    handed_over: Mapped[int] = mapped_column(server_default=sql("0"))
    closed: Mapped[int] = mapped_column(server_default=sql("0"))
    gaps: Mapped[int] = mapped_column(server_default=sql("0"))
    tokens: Mapped[int] = mapped_column(server_default=sql("0"))
    cost_micros: Mapped[int] = mapped_column(server_default=sql("0"))
    first_response: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    handoff_wait: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)


class StatisticsProgress(Base):
    """Up to which day a tenant's figures are kept, and in which time zone its days were cut."""

    __tablename__ = "statistics_progress"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    timezone: Mapped[str] = mapped_column(String(64))
    through: Mapped[date]
