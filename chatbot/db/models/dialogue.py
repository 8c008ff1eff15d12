"""Conversations, messages, what each turn did, and the event log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, String, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.db.models.base import (
    EMPTY_LIST,
    EMPTY_OBJECT,
    Base,
    CreatedAt,
    TenantOwned,
    Timestamped,
    owned_by,
)


class Conversation(TenantOwned, Timestamped, Base):
    """A visitor's talk with a brand on a channel.

    `epoch` rises whenever somebody else takes the floor; a reply begun in an older epoch is never stored.
    `visitor_read_seq` is the number of the last message that the visitor has seen.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        owned_by("brand_id", "brands"),
        owned_by("channel_id", "channels"),
        UniqueConstraint("tenant_id", "channel_id", "session_key"),
        CheckConstraint("state IN ('bot', 'waiting', 'human', 'closed')", name="state"),
    )

    brand_id: Mapped[UUID]
    channel_id: Mapped[UUID]
    session_key: Mapped[str] = mapped_column(String(200))
    visitor: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    state: Mapped[str] = mapped_column(String(20), server_default="bot")
    epoch: Mapped[int] = mapped_column(server_default=sql("0"))
    last_seq: Mapped[int] = mapped_column(server_default=sql("0"))
    visitor_read_seq: Mapped[int] = mapped_column(server_default=sql("0"))
    locale: Mapped[str | None] = mapped_column(String(35))
    closed_at: Mapped[datetime | None]


class Message(TenantOwned, Base):
    """One message; `seq` counts from 1 within the conversation and live clients resume by it.

    `content` holds what is not text: places, contacts, choices, reactions.
    `touched_at` is when the process that streams it last said so; a silent one is dead and its reply is closed.
    """

    __tablename__ = "messages"
    __table_args__ = (
        owned_by("conversation_id", "conversations"),
        UniqueConstraint("tenant_id", "conversation_id", "seq"),
        UniqueConstraint("tenant_id", "conversation_id", "client_message_id"),
        UniqueConstraint("tenant_id", "channel_id", "provider_event_id"),
        Index(
            "ix_messages_provider_message_id",
            "tenant_id",
            "channel_id",
            "provider_message_id",
            postgresql_where=sql("provider_message_id IS NOT NULL"),
        ),
        Index("ix_messages_streaming", "created_at", postgresql_where=sql("status = 'streaming'")),
        CheckConstraint("role IN ('visitor', 'bot', 'agent', 'system')", name="role"),
        CheckConstraint("status IN ('complete', 'streaming', 'interrupted', 'failed')", name="status"),
    )

    conversation_id: Mapped[UUID]
    channel_id: Mapped[UUID]
    seq: Mapped[int]
    role: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20), server_default="complete")
    text: Mapped[str]
    language: Mapped[str | None] = mapped_column(String(35))
    client_message_id: Mapped[str | None] = mapped_column(String(200))
    provider_event_id: Mapped[str | None] = mapped_column(String(200))
    provider_message_id: Mapped[str | None] = mapped_column(String(300))
    content: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    reply_to: Mapped[UUID | None]
    mode: Mapped[str | None] = mapped_column(String(20))
    citations: Mapped[list[dict[str, Any]]] = mapped_column(server_default=EMPTY_LIST)
    handoff_offered: Mapped[bool] = mapped_column(server_default=sql("false"))
    usage: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    created_at: Mapped[CreatedAt]
    touched_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class TurnTrace(TenantOwned, Base):
    """Why the bot said that: passages, scores, prompt, tokens, cost, milliseconds. `id` is the reply's."""

    __tablename__ = "turn_traces"
    __table_args__ = (owned_by("conversation_id", "conversations"),)

    conversation_id: Mapped[UUID] = mapped_column(index=True)
    question_id: Mapped[UUID]
    trace: Mapped[dict[str, Any]]
    created_at: Mapped[CreatedAt]


class Event(Base):
    """The append-only log of what happened, written in the transaction in which it happened."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_tenant_id_occurred_at", "tenant_id", "occurred_at"),)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    version: Mapped[int] = mapped_column(server_default=sql("1"))
    payload: Mapped[dict[str, Any]]
    correlation_id: Mapped[str | None] = mapped_column(String(128))
    occurred_at: Mapped[CreatedAt]
