"""Insight: questions without an answer in groups, passages edited by hand, figures of past days."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chatbot.db.rls import protect

revision = "0006"
down_revision = "0005"

TENANT_OWNED = ("gap_groups", "daily_statistics", "statistics_progress")


def upgrade() -> None:
    _create_gap_groups()
    _create_statistics()
    for table in TENANT_OWNED:
        for statement in protect(table):
            op.execute(statement)
    _group_gaps()
    op.add_column("knowledge_sources", sa.Column("edits", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("passages", sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_index("ix_handoffs_conversation_id_requested_at", table_name="handoffs")
    op.drop_index("ix_events_closed", table_name="events", postgresql_where=sa.text("name = 'conversation.closed'"))
    op.drop_column("passages", "edited_at")
    op.drop_column("knowledge_sources", "edits")
    op.drop_index("ix_knowledge_gaps_ungrouped", table_name="knowledge_gaps")
    op.drop_index("ix_knowledge_gaps_group_id_created_at", table_name="knowledge_gaps")
    op.drop_column("knowledge_gaps", "group_id")
    op.add_column("knowledge_gaps", sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True))
    for table in reversed(TENANT_OWNED):
        op.execute(f"DROP TABLE {table} CASCADE")


def _create_gap_groups() -> None:
    op.create_table(
        "gap_groups",
        sa.Column("brand_id", sa.UUID(), nullable=False),
        sa.Column("group_key", sa.String(length=32), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("evidence", sa.Double(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("first_asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=20), server_default="open", nullable=False),
        sa.Column("source_id", sa.UUID(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(length=200), nullable=True),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("status IN ('open', 'answered', 'dismissed')", name=op.f("ck_gap_groups_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "brand_id"],
            ["brands.tenant_id", "brands.id"],
            name=op.f("fk_gap_groups_tenant_id_brand_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "source_id"],
            ["knowledge_sources.tenant_id", "knowledge_sources.id"],
            name=op.f("fk_gap_groups_tenant_id_source_id"),
            ondelete="SET NULL (source_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_gap_groups_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_gap_groups")),
        sa.UniqueConstraint(
            "tenant_id", "brand_id", "group_key", name=op.f("uq_gap_groups_tenant_id_brand_id_group_key")
        ),
    )
    listed: list[str | sa.TextClause] = ["status", sa.text("asked DESC"), sa.text("id DESC")]
    op.create_index("ix_gap_groups_id", "gap_groups", ["id"], unique=False)
    op.create_index("ix_gap_groups_listed", "gap_groups", ["tenant_id", *listed], unique=False)
    op.create_index("ix_gap_groups_listed_by_brand", "gap_groups", ["tenant_id", "brand_id", *listed], unique=False)


def _create_statistics() -> None:
    counts = (
        "conversations", "messages", "answered_by_bot", "no_answer", "handed_over", "closed", "gaps", "tokens",
        "cost_micros",
    )  # fmt: skip
    op.create_table(
        "daily_statistics",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("brand_id", sa.UUID(), nullable=True),
        sa.Column("channel_type", sa.String(length=20), nullable=True),
        *(sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False) for name in counts),
        *(
            sa.Column(name, postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False)
            for name in ("first_response", "handoff_wait")
        ),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_daily_statistics_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_daily_statistics")),
    )
    op.create_index("ix_daily_statistics_tenant_id_day", "daily_statistics", ["tenant_id", "day"], unique=False)
    op.create_table(
        "statistics_progress",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("through", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_statistics_progress_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_statistics_progress")),
    )
    op.create_index(
        "ix_events_closed",
        "events",
        ["tenant_id", "occurred_at"],
        unique=False,
        postgresql_where=sa.text("name = 'conversation.closed'"),
    )
    op.create_index(
        "ix_handoffs_conversation_id_requested_at",
        "handoffs",
        ["tenant_id", "conversation_id", "requested_at"],
        unique=False,
    )


def _group_gaps() -> None:
    """The groups of questions asked before are found by a job: what makes two the same is known to the analyser."""
    op.drop_column("knowledge_gaps", "resolved_at")
    op.add_column("knowledge_gaps", sa.Column("group_id", sa.UUID(), nullable=True))
    op.create_foreign_key(
        op.f("fk_knowledge_gaps_tenant_id_group_id"),
        "knowledge_gaps",
        "gap_groups",
        ["tenant_id", "group_id"],
        ["tenant_id", "id"],
        ondelete="CASCADE",
    )
    op.create_index(
        "ix_knowledge_gaps_group_id_created_at", "knowledge_gaps", ["tenant_id", "group_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_knowledge_gaps_ungrouped",
        "knowledge_gaps",
        ["tenant_id", "id"],
        unique=False,
        postgresql_where=sa.text("group_id IS NULL"),
    )
