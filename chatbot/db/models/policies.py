"""Versioned policies of a tenant: persona, languages, smart mode, budgets, retrieval."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.db.models.base import Base, CreatedAt


class PolicyVersion(Base):
    """One saved version of one policy document; the highest version is in force."""

    __tablename__ = "policy_versions"
    __table_args__ = (CheckConstraint("kind IN ('policy', 'retrieval_config')", name="kind"),)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[dict[str, Any]]
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[CreatedAt]
