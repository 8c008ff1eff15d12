"""Data: receipts of erasures, runs of retention, tenants taken out of service."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chatbot.db.rls import protect

revision = "0013"
down_revision = "0012"

_OBJECT = sa.text("'{}'::jsonb")
_NOW = sa.text("now()")


def upgrade() -> None:
    _erasures()
    _retention_runs()
    _decommissions()
    _budget_alerts()
    _ratings_outlive_conversations()
    op.create_index("ix_attachments_conversation_id", "attachments", ["tenant_id", "conversation_id"])
    for table in ("erasures", "retention_runs", "decommissions", "budget_alerts"):
        for statement in protect(table):
            op.execute(statement)


def downgrade() -> None:
    op.execute("DELETE FROM csat_ratings WHERE conversation_id IS NULL")
    _rated_conversation("CASCADE", nullable=False)
    op.drop_column("csat_ratings", "channel_id")
    op.drop_index("ix_attachments_conversation_id", "attachments")
    for table in ("budget_alerts", "decommissions", "retention_runs", "erasures"):
        op.drop_table(table)


def _budget_alerts() -> None:
    op.create_table(
        "budget_alerts",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("limit_name", sa.String(length=40), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.CheckConstraint("level IN ('warn', 'degrade', 'stop')", name=op.f("ck_budget_alerts_level")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_budget_alerts_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "limit_name", "period", "level", name=op.f("pk_budget_alerts")),
    )


def _ratings_outlive_conversations() -> None:
    op.add_column("csat_ratings", sa.Column("channel_id", sa.UUID(), nullable=True))
    op.execute(
        "UPDATE csat_ratings r SET channel_id = c.channel_id FROM conversations c "
        "WHERE c.tenant_id = r.tenant_id AND c.id = r.conversation_id"
    )
    op.alter_column("csat_ratings", "channel_id", nullable=False)
    _rated_conversation("SET NULL (conversation_id)", nullable=True)


def _rated_conversation(ondelete: str, *, nullable: bool) -> None:
    name = op.f("fk_csat_ratings_tenant_id_conversation_id")
    op.drop_constraint(name, "csat_ratings", type_="foreignkey")
    op.alter_column("csat_ratings", "conversation_id", nullable=nullable)
    op.create_foreign_key(
        name, "csat_ratings", "conversations", ["tenant_id", "conversation_id"], ["tenant_id", "id"], ondelete=ondelete
    )


def _erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("requested_by", sa.String(length=200), nullable=False),
        sa.Column("named_by", sa.String(length=20), nullable=False),
        sa.Column("visitor_hash", sa.String(length=64), nullable=False),
        sa.Column("removed", postgresql.JSONB(astext_type=sa.Text()), server_default=_OBJECT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        *_owned("erasures"),
        sa.CheckConstraint("named_by IN ('visitor', 'conversation', 'email')", name=op.f("ck_erasures_named_by")),
    )
    op.create_index("ix_erasures_id", "erasures", ["id"])


def _retention_runs() -> None:
    op.create_table(
        "retention_runs",
        sa.Column("started_by", sa.String(length=200), nullable=False),
        sa.Column("cutoffs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("removed", postgresql.JSONB(astext_type=sa.Text()), server_default=_OBJECT, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        *_owned("retention_runs"),
    )
    op.create_index("ix_retention_runs_started_at", "retention_runs", ["tenant_id", "started_at"])


def _decommissions() -> None:
    op.create_table(
        "decommissions",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("requested_by", sa.String(length=200), nullable=False),
        sa.Column("receipt", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_decommissions_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_decommissions")),
    )


def _owned(table: str) -> list[sa.Column[object] | sa.Constraint]:
    """Return the columns and keys of a tenant-owned table."""
    return [
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
    ]
