"""The widget: what visitors say of themselves, and files that an agent is about to send."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chatbot.db.rls import protect

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "visitors",
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("fields", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_visitors_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_visitors")),
        sa.UniqueConstraint("tenant_id", "subject", name=op.f("uq_visitors_tenant_id_subject")),
    )
    for statement in protect("visitors"):
        op.execute(statement)
    op.alter_column("attachments", "message_id", nullable=True)
    op.add_column("attachments", sa.Column("conversation_id", sa.UUID(), nullable=True))
    op.add_column("attachments", sa.Column("uploaded_by", sa.String(length=300), nullable=True))
    op.create_foreign_key(
        op.f("fk_attachments_tenant_id_conversation_id"),
        "attachments",
        "conversations",
        ["tenant_id", "conversation_id"],
        ["tenant_id", "id"],
        ondelete="CASCADE",
    )
    op.create_check_constraint(
        op.f("ck_attachments_place"), "attachments", "message_id IS NOT NULL OR conversation_id IS NOT NULL"
    )
    op.create_index("ix_attachments_id", "attachments", ["id"])


def downgrade() -> None:
    op.execute("ALTER TABLE attachments NO FORCE ROW LEVEL SECURITY")  # or the owner would see no row to delete
    op.execute("DELETE FROM attachments WHERE message_id IS NULL")
    op.execute("ALTER TABLE attachments FORCE ROW LEVEL SECURITY")
    op.drop_index("ix_attachments_id", table_name="attachments")
    op.drop_constraint(op.f("ck_attachments_place"), "attachments", type_="check")
    op.drop_constraint(op.f("fk_attachments_tenant_id_conversation_id"), "attachments", type_="foreignkey")
    op.drop_column("attachments", "uploaded_by")
    op.drop_column("attachments", "conversation_id")
    op.alter_column("attachments", "message_id", nullable=False)
    op.drop_table("visitors")
