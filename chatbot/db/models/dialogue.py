"""Conversations, messages, handoffs, what each turn did, and the event log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Computed, ForeignKey, Identity, Index, String, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.db.models.base import (
    EMPTY_ARRAY,
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
    `visitor_read_seq` is the number of the last message that the visitor has seen, `agent_read_seq` that of the agents.
    `owner` is the subject that began it. `waiting_since` is set while it waits for a person: the queue is in its order.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        owned_by("brand_id", "brands"),
        owned_by("channel_id", "channels"),
        UniqueConstraint("tenant_id", "channel_id", "session_key"),
        owned_by("assignee_id", "agents", ondelete="NO ACTION"),
        CheckConstraint("state IN ('bot', 'waiting', 'human', 'closed')", name="state"),
        Index("ix_conversations_id", "id"),  # whose is it, for callers that reach several tenants
        Index("ix_conversations_activity", "tenant_id", "updated_at", "id"),
        Index("ix_conversations_state", "tenant_id", "state"),
        Index("ix_conversations_owner", "tenant_id", "owner", "id"),
        Index(
            "ix_conversations_waiting", "tenant_id", "waiting_since", "id", postgresql_where=sql("state = 'waiting'")
        ),
        Index("ix_conversations_human", "tenant_id", "assignee_id", "id", postgresql_where=sql("state = 'human'")),
    )

    brand_id: Mapped[UUID]
    channel_id: Mapped[UUID]
    session_key: Mapped[str] = mapped_column(String(200))
    visitor: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    state: Mapped[str] = mapped_column(String(20), server_default="bot")
    epoch: Mapped[int] = mapped_column(server_default=sql("0"))
    last_seq: Mapped[int] = mapped_column(server_default=sql("0"))
    visitor_read_seq: Mapped[int] = mapped_column(server_default=sql("0"))
    agent_read_seq: Mapped[int] = mapped_column(server_default=sql("0"))
    locale: Mapped[str | None] = mapped_column(String(35))
    owner: Mapped[str | None] = mapped_column(Computed("(visitor ->> 'subject'::text)", persisted=True))
    tags: Mapped[list[str]] = mapped_column(server_default=EMPTY_ARRAY)
    assignee_id: Mapped[UUID | None]
    assigned_at: Mapped[datetime | None]
    waiting_since: Mapped[datetime | None]
    handoff_reason: Mapped[str | None]
    closed_at: Mapped[datetime | None]


class Message(TenantOwned, Base):
    """One message; `seq` counts from 1 within the conversation and live clients resume by it.

    `content` holds what is not text: places, contacts, choices, reactions. `author` is the agent as visitors saw it
    then: id, name, avatar_url; of agents' messages only.
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
    author: Mapped[dict[str, Any] | None]
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


class Handoff(TenantOwned, Base):
    """One wish for a person, from the asking to the answer; `ended_at` is when it was given up without one."""

    __tablename__ = "handoffs"
    __table_args__ = (
        owned_by("conversation_id", "conversations"),
        Index(
            "uq_handoffs_open",
            "tenant_id",
            "conversation_id",
            unique=True,
            postgresql_where=sql("answered_at IS NULL AND ended_at IS NULL"),
        ),
        Index("ix_handoffs_conversation_id_requested_at", "tenant_id", "conversation_id", "requested_at"),
        Index("ix_handoffs_answered", "tenant_id", "answered_at", postgresql_where=sql("answered_at IS NOT NULL")),
        CheckConstraint("requested_by IN ('visitor', 'no_answer', 'rule', 'agent', 'absence')", name="requested_by"),
    )

    conversation_id: Mapped[UUID]
    requested_by: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None]
    requested_at: Mapped[CreatedAt]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    agent_id: Mapped[UUID | None]


class Event(Base):
    """The append-only log of what happened, written in the transaction in which it happened.

    `txid` is that transaction's number: ids are given before their transactions commit, so a reader that goes by ids
    alone would step over one that commits late (see `dialogue/log.py`). A trigger tells the bus of each tenant's news.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_tenant_id_occurred_at", "tenant_id", "occurred_at"),
        Index("ix_events_tenant_id_txid_id", "tenant_id", "txid", "id"),
        Index("ix_events_closed", "tenant_id", "occurred_at", postgresql_where=sql("name = 'conversation.closed'")),
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    version: Mapped[int] = mapped_column(server_default=sql("1"))
    payload: Mapped[dict[str, Any]]
    correlation_id: Mapped[str | None] = mapped_column(String(128))
    occurred_at: Mapped[CreatedAt]
    txid: Mapped[int] = mapped_column(server_default=sql("((pg_current_xact_id())::text)::bigint"))


class LogCursor(Base):
    """How far a reader of the event log has come in a tenant: up to this event of this transaction."""

    __tablename__ = "log_cursors"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    reader: Mapped[str] = mapped_column(String(40), primary_key=True)
    txid: Mapped[int] = mapped_column(server_default=sql("0"))
    event_id: Mapped[int] = mapped_column(server_default=sql("0"))
