"""Automation: rules, the jobs that they start, and what rules remember in a conversation."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.db.models.base import (
    EMPTY_LIST,
    EMPTY_OBJECT,
    Base,
    CreatedAt,
    ShortText,
    TenantOwned,
    Timestamped,
    owned_by,
)


class AutomationRule(TenantOwned, Timestamped, Base):
    """A rule: what starts it, when it applies, what it does, how often at most.

    `active_since`: what happened before starts nothing. `next_fire_at` is set for rules on a schedule,
    `seen_until` for rules on silence: conversations silent since before then were looked at. A
    subscription of a webhook is a rule of kind `webhook`, whose secret is sealed in `webhook_secrets`.
    """

    __tablename__ = "automation_rules"
    __table_args__ = (
        owned_by("brand_id", "brands"),
        CheckConstraint("state IN ('active', 'paused')", name="state"),
        CheckConstraint("kind IN ('rule', 'webhook')", name="kind"),
        Index("ix_automation_rules_id", "id"),
        Index(
            "ix_automation_rules_due", "next_fire_at", postgresql_where=sql("state = 'active' AND deleted_at IS NULL")
        ),
    )

    brand_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(String(20), server_default="rule")
    name: Mapped[ShortText]
    description: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(String(20), server_default="active")
    paused_because: Mapped[str | None]
    trigger: Mapped[dict[str, Any]]
    conditions: Mapped[dict[str, Any]]
    actions: Mapped[list[dict[str, Any]]]
    limits: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    version: Mapped[int] = mapped_column(server_default=sql("1"))
    created_by: Mapped[str] = mapped_column(String(200))
    active_since: Mapped[datetime] = mapped_column(server_default=sql("now()"))
    next_fire_at: Mapped[datetime | None]
    seen_until: Mapped[datetime | None]
    last_fired_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class AutomationJob(TenantOwned, Base):
    """One firing of one rule; the unique key is what keeps two schedulers from firing it twice.

    `actions` are the rule's as they were then, `step` the next one to run. `attempts` counts the tries of that step.
    """

    __tablename__ = "automation_jobs"
    __table_args__ = (
        owned_by("rule_id", "automation_rules"),
        UniqueConstraint("tenant_id", "rule_id", "firing"),
        CheckConstraint("status IN ('pending', 'running', 'succeeded', 'failed', 'cancelled')", name="status"),
        Index("ix_automation_jobs_id", "id"),
        Index("ix_automation_jobs_rule", "tenant_id", "rule_id", "id"),
        Index("ix_automation_jobs_conversation", "tenant_id", "rule_id", "conversation_id", "created_at"),
        Index("ix_automation_jobs_correlation", "tenant_id", "correlation_id", "rule_id"),
        Index("ix_automation_jobs_open", "due_at", postgresql_where=sql("status IN ('pending', 'running')")),
    )

    rule_id: Mapped[UUID]
    rule_version: Mapped[int]
    firing: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(20), server_default="pending")
    event: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    conversation_id: Mapped[UUID | None]
    actions: Mapped[list[dict[str, Any]]]
    step: Mapped[int] = mapped_column(server_default=sql("0"))
    attempts: Mapped[int] = mapped_column(server_default=sql("0"))
    results: Mapped[list[dict[str, Any]]] = mapped_column(server_default=EMPTY_LIST)
    reason: Mapped[str | None]
    due_at: Mapped[datetime] = mapped_column(server_default=sql("now()"))
    correlation_id: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[CreatedAt]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class AutomationVariables(TenantOwned, Base):
    """What rules remember in a conversation; `id` is the conversation's."""

    __tablename__ = "automation_variables"
    __table_args__ = (owned_by("id", "conversations"),)

    values: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)


class AutomationSwitch(Base):
    """Whether all rules of a tenant rest."""

    __tablename__ = "automation_switches"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    paused_at: Mapped[datetime | None]
    paused_by: Mapped[str | None] = mapped_column(String(200))


class WebhookSecret(TenantOwned, Base):
    """A sealed secret that signs webhooks: of one (`id` is its own), or of the tenant's rules (the tenant's)."""

    __tablename__ = "webhook_secrets"

    sealed: Mapped[bytes]
    key_id: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[CreatedAt]
