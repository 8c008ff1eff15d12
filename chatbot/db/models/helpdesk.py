"""The help desk: agents, their notes and canned replies, and what conversations are searched by."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.db.models.base import Base, CreatedAt, ShortText, TenantOwned, Timestamped, owned_by


class Agent(TenantOwned, Base):
    """Whoever has answered visitors of a tenant: a user, or a program with a key; `id` is the user's or the key's.

    Users are of no tenant, so what a tenant may know of one stands here. `chosen` is what the agent said, `presence`
    what everybody was told last; they differ when nothing was heard of the agent (`seen_at`). `away_since` is null
    while the agent is there, and for whoever never said.
    """

    __tablename__ = "agents"
    __table_args__ = (
        CheckConstraint("chosen IN ('online', 'away', 'offline')", name="chosen"),
        CheckConstraint("presence IN ('online', 'away', 'offline')", name="presence"),
        Index("ix_agents_present", "seen_at", postgresql_where=sql("presence <> 'offline'")),
    )

    name: Mapped[ShortText]
    email: Mapped[str | None] = mapped_column(String(320))
    avatar_url: Mapped[str | None]
    chosen: Mapped[str] = mapped_column(String(20), server_default="online")
    presence: Mapped[str] = mapped_column(String(20), server_default="offline")
    seen_at: Mapped[datetime | None]
    away_since: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]


class Note(TenantOwned, Base):
    """What agents write to one another beside a conversation; never shown to visitors."""

    __tablename__ = "notes"
    __table_args__ = (
        owned_by("conversation_id", "conversations"),
        owned_by("agent_id", "agents", ondelete="NO ACTION"),
        Index("ix_notes_conversation_id_id", "tenant_id", "conversation_id", "id"),
    )

    conversation_id: Mapped[UUID]
    agent_id: Mapped[UUID]
    text: Mapped[str]
    mentions: Mapped[list[UUID]] = mapped_column(ARRAY(PgUUID(as_uuid=True)), server_default=sql("'{}'::uuid[]"))
    created_at: Mapped[CreatedAt]


class CannedReply(TenantOwned, Timestamped, Base):
    """A text that agents send by its shortcut; of one brand, or (null) of all."""

    __tablename__ = "canned_replies"
    __table_args__ = (
        owned_by("brand_id", "brands"),
        Index("ix_canned_replies_id", "id"),
        Index("uq_canned_replies_shortcut", "tenant_id", sql("coalesce(brand_id, tenant_id)"), sql("lower(shortcut)"),
              unique=True),
    )  # fmt: skip

    brand_id: Mapped[UUID | None]
    shortcut: Mapped[str] = mapped_column(String(60))
    title: Mapped[ShortText]
    text: Mapped[str]
    language: Mapped[str | None] = mapped_column(String(35))


class MessageTerms(Base):
    """The hashed word stems of a message, in every language that stems: what search finds it by.

    Apart from the message, whose row changes while its reply streams. For the index see `db/models/knowledge.py`.
    """

    __tablename__ = "message_terms"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "message_id"], ["messages.tenant_id", "messages.id"], ondelete="CASCADE"),
        Index("ix_message_terms_terms", "terms", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    terms: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
