"""Automation: rules, jobs, variables, the tenants' switch, secrets that sign outgoing webhooks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chatbot.db.rls import protect

revision = "0009"
down_revision = "0008"

TENANT_OWNED = ("automation_rules", "automation_jobs", "automation_variables", "automation_switches", "webhook_secrets")


def upgrade() -> None:
    _rules()
    _jobs()
    _beside()
    for table in TENANT_OWNED:
        for statement in protect(table):
            op.execute(statement)


def downgrade() -> None:
    for table in (
        "automation_variables",
        "automation_jobs",
        "automation_rules",
        "automation_switches",
        "webhook_secrets",
    ):
        op.drop_table(table)


def _rules() -> None:
    op.create_table(
        "automation_rules",
        sa.Column("brand_id", sa.UUID(), nullable=True),
        sa.Column("kind", sa.String(length=20), server_default="rule", nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.String(length=20), server_default="active", nullable=False),
        sa.Column("paused_because", sa.Text(), nullable=True),
        sa.Column("trigger", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("conditions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "limits", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("active_since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("next_fire_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_fired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('rule', 'webhook')", name=op.f("ck_automation_rules_kind")),
        sa.CheckConstraint("state IN ('active', 'paused')", name=op.f("ck_automation_rules_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "brand_id"],
            ["brands.tenant_id", "brands.id"],
            name=op.f("fk_automation_rules_tenant_id_brand_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_automation_rules_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_automation_rules")),
    )
    op.create_index(
        "ix_automation_rules_due",
        "automation_rules",
        ["next_fire_at"],
        unique=False,
        postgresql_where=sa.text("state = 'active' AND deleted_at IS NULL"),
    )
    op.create_index("ix_automation_rules_id", "automation_rules", ["id"], unique=False)


def _jobs() -> None:
    op.create_table(
        "automation_jobs",
        sa.Column("rule_id", sa.UUID(), nullable=False),
        sa.Column("rule_version", sa.BigInteger(), nullable=False),
        sa.Column("firing", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=20), server_default="pending", nullable=False),
        sa.Column(
            "event", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("conversation_id", sa.UUID(), nullable=True),
        sa.Column("actions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("step", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "results", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("correlation_id", sa.String(length=128), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'succeeded', 'failed', 'cancelled')",
            name=op.f("ck_automation_jobs_status"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rule_id"],
            ["automation_rules.tenant_id", "automation_rules.id"],
            name=op.f("fk_automation_jobs_tenant_id_rule_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_automation_jobs_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_automation_jobs")),
        sa.UniqueConstraint("tenant_id", "rule_id", "firing", name=op.f("uq_automation_jobs_tenant_id_rule_id_firing")),
    )
    op.create_index(
        "ix_automation_jobs_conversation",
        "automation_jobs",
        ["tenant_id", "rule_id", "conversation_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_automation_jobs_correlation", "automation_jobs", ["tenant_id", "correlation_id", "rule_id"], unique=False
    )
    op.create_index("ix_automation_jobs_id", "automation_jobs", ["id"], unique=False)
    op.create_index(
        "ix_automation_jobs_open",
        "automation_jobs",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('pending', 'running')"),
    )
    op.create_index("ix_automation_jobs_rule", "automation_jobs", ["tenant_id", "rule_id", "id"], unique=False)


def _beside() -> None:
    op.create_table(
        "automation_variables",
        sa.Column(
            "values", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_automation_variables_tenant_id_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_automation_variables_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_automation_variables")),
    )
    op.create_table(
        "automation_switches",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_by", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_automation_switches_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_automation_switches")),
    )
    op.create_table(
        "webhook_secrets",
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_webhook_secrets_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_webhook_secrets")),
    )
