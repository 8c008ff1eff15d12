"""The help desk: agents, handoffs, notes, canned replies, search over messages, and an event log read without gaps."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chatbot.db.message_search import drop_message_search, message_search
from chatbot.db.rls import protect

revision = "0003"
down_revision = "0002"

TENANT_OWNED = ("agents", "log_cursors", "canned_replies", "handoffs", "notes", "message_terms")

# The bus only wakes: it is told whose log has grown, whoever wrote into it.
_TELL = """
CREATE FUNCTION xin_tell_of_event() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
BEGIN
  PERFORM pg_notify('xin_event', NEW.tenant_id::text);
  RETURN NULL;
END $body$
"""
_TOLD = "CREATE TRIGGER tell_of_event AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION xin_tell_of_event()"


def upgrade() -> None:
    _create_tables()
    for table in TENANT_OWNED:
        for statement in protect(table):
            op.execute(statement)
    for statement in (*message_search(), _TELL, _TOLD):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER tell_of_event ON events")
    op.execute("DROP FUNCTION xin_tell_of_event()")
    for statement in drop_message_search():
        op.execute(statement)
    op.drop_index(
        "ix_deliveries_message_id", table_name="deliveries", postgresql_where=sa.text("message_id IS NOT NULL")
    )
    op.drop_column("messages", "author")
    op.drop_index("ix_events_tenant_id_txid_id", table_name="events")
    op.drop_column("events", "txid")
    op.drop_constraint(op.f("fk_conversations_tenant_id_assignee_id"), "conversations", type_="foreignkey")
    op.drop_index("ix_conversations_waiting", table_name="conversations", postgresql_where=sa.text("state = 'waiting'"))
    op.drop_index("ix_conversations_owner", table_name="conversations")
    op.drop_index("ix_conversations_state", table_name="conversations")
    op.drop_index("ix_conversations_id", table_name="conversations")
    op.drop_index("ix_conversations_human", table_name="conversations", postgresql_where=sa.text("state = 'human'"))
    op.drop_index("ix_conversations_activity", table_name="conversations")
    op.drop_column("conversations", "handoff_reason")
    op.drop_column("conversations", "waiting_since")
    op.drop_column("conversations", "assigned_at")
    op.drop_column("conversations", "assignee_id")
    op.drop_column("conversations", "tags")
    op.drop_column("conversations", "owner")
    op.drop_column("conversations", "agent_read_seq")
    op.drop_index(
        "ix_message_terms_terms",
        table_name="message_terms",
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.drop_table("message_terms")
    op.drop_index("ix_notes_conversation_id_id", table_name="notes")
    op.drop_table("notes")
    op.drop_index(
        "uq_handoffs_open", table_name="handoffs", postgresql_where=sa.text("answered_at IS NULL AND ended_at IS NULL")
    )
    op.drop_index("ix_handoffs_answered", table_name="handoffs", postgresql_where=sa.text("answered_at IS NOT NULL"))
    op.drop_table("handoffs")
    op.drop_index("uq_canned_replies_shortcut", table_name="canned_replies")
    op.drop_index("ix_canned_replies_id", table_name="canned_replies")
    op.drop_table("canned_replies")
    op.drop_table("log_cursors")
    op.drop_index("ix_agents_present", table_name="agents", postgresql_where=sa.text("presence <> 'offline'"))
    op.drop_table("agents")


def _create_tables() -> None:
    op.create_table(
        "agents",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("avatar_url", sa.Text(), nullable=True),
        sa.Column("chosen", sa.String(length=20), server_default="online", nullable=False),
        sa.Column("presence", sa.String(length=20), server_default="offline", nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("away_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("chosen IN ('online', 'away', 'offline')", name=op.f("ck_agents_chosen")),
        sa.CheckConstraint("presence IN ('online', 'away', 'offline')", name=op.f("ck_agents_presence")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_agents_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agents")),
    )
    op.create_index(
        "ix_agents_present", "agents", ["seen_at"], unique=False, postgresql_where=sa.text("presence <> 'offline'")
    )
    op.create_table(
        "log_cursors",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("reader", sa.String(length=40), nullable=False),
        sa.Column("txid", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("event_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_log_cursors_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "reader", name=op.f("pk_log_cursors")),
    )
    op.create_table(
        "canned_replies",
        sa.Column("brand_id", sa.UUID(), nullable=True),
        sa.Column("shortcut", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=True),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "brand_id"],
            ["brands.tenant_id", "brands.id"],
            name=op.f("fk_canned_replies_tenant_id_brand_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_canned_replies_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_canned_replies")),
    )
    op.create_index("ix_canned_replies_id", "canned_replies", ["id"], unique=False)
    op.create_index(
        "uq_canned_replies_shortcut",
        "canned_replies",
        ["tenant_id", sa.text("coalesce(brand_id, tenant_id)"), sa.text("lower(shortcut)")],
        unique=True,
    )
    op.create_table(
        "handoffs",
        sa.Column("conversation_id", sa.UUID(), nullable=False),
        sa.Column("requested_by", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agent_id", sa.UUID(), nullable=True),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint(
            "requested_by IN ('visitor', 'no_answer', 'rule', 'agent', 'absence')",
            name=op.f("ck_handoffs_requested_by"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_handoffs_tenant_id_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_handoffs_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_handoffs")),
    )
    op.create_index(
        "ix_handoffs_answered",
        "handoffs",
        ["tenant_id", "answered_at"],
        unique=False,
        postgresql_where=sa.text("answered_at IS NOT NULL"),
    )
    op.create_index(
        "uq_handoffs_open",
        "handoffs",
        ["tenant_id", "conversation_id"],
        unique=True,
        postgresql_where=sa.text("answered_at IS NULL AND ended_at IS NULL"),
    )
    op.create_table(
        "notes",
        sa.Column("conversation_id", sa.UUID(), nullable=False),
        sa.Column("agent_id", sa.UUID(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("mentions", postgresql.ARRAY(sa.UUID()), server_default=sa.text("'{}'::uuid[]"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agent_id"],
            ["agents.tenant_id", "agents.id"],
            name=op.f("fk_notes_tenant_id_agent_id"),
            ondelete="NO ACTION",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_notes_tenant_id_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_notes_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notes")),
    )
    op.create_index("ix_notes_conversation_id_id", "notes", ["tenant_id", "conversation_id", "id"], unique=False)
    op.create_table(
        "message_terms",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("terms", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            ["messages.tenant_id", "messages.id"],
            name=op.f("fk_message_terms_tenant_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_message_terms_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "message_id", name=op.f("pk_message_terms")),
    )
    op.create_index(
        "ix_message_terms_terms",
        "message_terms",
        ["terms"],
        unique=False,
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.add_column(
        "conversations", sa.Column("agent_read_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column(
        "conversations",
        sa.Column("owner", sa.Text(), sa.Computed("(visitor ->> 'subject'::text)", persisted=True), nullable=True),
    )
    op.add_column(
        "conversations",
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
    )
    op.add_column("conversations", sa.Column("assignee_id", sa.UUID(), nullable=True))
    op.add_column("conversations", sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("conversations", sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("conversations", sa.Column("handoff_reason", sa.Text(), nullable=True))
    op.create_index("ix_conversations_activity", "conversations", ["tenant_id", "updated_at", "id"], unique=False)
    op.create_index(
        "ix_conversations_human",
        "conversations",
        ["tenant_id", "assignee_id", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'human'"),
    )
    op.create_index("ix_conversations_state", "conversations", ["tenant_id", "state"], unique=False)
    op.create_index("ix_conversations_id", "conversations", ["id"], unique=False)
    op.create_index("ix_conversations_owner", "conversations", ["tenant_id", "owner", "id"], unique=False)
    op.create_index(
        "ix_conversations_waiting",
        "conversations",
        ["tenant_id", "waiting_since", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_foreign_key(
        op.f("fk_conversations_tenant_id_assignee_id"),
        "conversations",
        "agents",
        ["tenant_id", "assignee_id"],
        ["tenant_id", "id"],
        ondelete="NO ACTION",
    )
    op.add_column(
        "events",
        sa.Column(
            "txid", sa.BigInteger(), server_default=sa.text("((pg_current_xact_id())::text)::bigint"), nullable=False
        ),
    )
    op.create_index("ix_events_tenant_id_txid_id", "events", ["tenant_id", "txid", "id"], unique=False)
    op.add_column("messages", sa.Column("author", postgresql.JSONB(), nullable=True))
    op.create_index(
        "ix_deliveries_message_id",
        "deliveries",
        ["tenant_id", "message_id"],
        unique=False,
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
