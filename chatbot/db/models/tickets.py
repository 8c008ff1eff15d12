"""Tickets with their clocks and comments, and what visitors thought of conversations."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint, text
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


class TicketCounter(Base):
    """The last number that a tenant's tickets were given; its row is held until the ticket is stored."""

    __tablename__ = "ticket_counters"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    last_number: Mapped[int]


class Ticket(TenantOwned, Timestamped, Base):
    """A visitor's problem that somebody follows until it is solved; it outlives its conversation.

    Two clocks run, to the first response and to the resolution. Of each: `minutes` is what was promised, in open ones;
    `due_at` when they are over; `left` how many are left while it stands still; `…ed_at` when it was met, and
    `breached_at` when its end was found to have passed. `mail_thread` names the ticket's mails, `mail_context` is what
    the next one answers.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        owned_by("brand_id", "brands"),
        owned_by("conversation_id", "conversations", ondelete="SET NULL (conversation_id)"),
        ForeignKeyConstraint(
            ["tenant_id", "assignee_id"],
            ["memberships.tenant_id", "memberships.user_id"],
            ondelete="SET NULL (assignee_id)",
        ),
        UniqueConstraint("tenant_id", "number"),
        UniqueConstraint("tenant_id", "mail_thread"),
        CheckConstraint("status IN ('open', 'pending', 'solved', 'closed')", name="status"),
        CheckConstraint("priority IN ('low', 'normal', 'high', 'urgent')", name="priority"),
        CheckConstraint("source IN ('visitor', 'agent', 'rule', 'manual')", name="source"),
        Index("ix_tickets_id", "id"),
        Index("ix_tickets_tenant_id_status_id", "tenant_id", "status", "id"),
        Index("ix_tickets_tenant_id_assignee_id_id", "tenant_id", "assignee_id", "id"),
        Index("ix_tickets_tenant_id_conversation_id", "tenant_id", "conversation_id"),
        Index(
            "ix_tickets_first_response_due_at",
            "first_response_due_at",
            postgresql_where=text("first_responded_at IS NULL"),
        ),
        Index("ix_tickets_resolution_due_at", "resolution_due_at", postgresql_where=text("resolved_at IS NULL")),
    )

    number: Mapped[int]
    brand_id: Mapped[UUID]
    conversation_id: Mapped[UUID | None]
    session_id: Mapped[str | None] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(300))
    problem: Mapped[str]
    device: Mapped[str | None] = mapped_column(String(300))
    requester_name: Mapped[str] = mapped_column(String(200))
    requester_email: Mapped[str | None] = mapped_column(String(320))
    language: Mapped[str] = mapped_column(String(35))
    status: Mapped[str] = mapped_column(String(20), server_default="open")
    priority: Mapped[str] = mapped_column(String(20), server_default="normal")
    assignee_id: Mapped[UUID | None]
    tags: Mapped[list[str]] = mapped_column(server_default=EMPTY_ARRAY)
    source: Mapped[str] = mapped_column(String(20))
    created_by: Mapped[str] = mapped_column(String(200))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    transcript: Mapped[list[dict[str, Any]]] = mapped_column(server_default=EMPTY_LIST, deferred=True)
    search_text: Mapped[str] = mapped_column(deferred=True)
    mail_thread: Mapped[str] = mapped_column(String(26))
    mail_context: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    first_response_minutes: Mapped[int | None]
    first_response_due_at: Mapped[datetime | None]
    first_response_left: Mapped[float | None] = mapped_column(Float)
    first_responded_at: Mapped[datetime | None]
    first_response_breached_at: Mapped[datetime | None]
    resolution_minutes: Mapped[int | None]
    resolution_due_at: Mapped[datetime | None]
    resolution_left: Mapped[float | None] = mapped_column(Float)
    resolved_at: Mapped[datetime | None]
    resolution_breached_at: Mapped[datetime | None]


class TicketComment(TenantOwned, Base):
    """What was said about a ticket; a `public` one is for the requester too.

    `told_by` is how a public one went to the requester: by mail, in the conversation, or (null) not at all. `files`
    came along by mail: name, mime, size and the key of the blob.
    """

    __tablename__ = "ticket_comments"
    __table_args__ = (
        owned_by("ticket_id", "tickets"),
        CheckConstraint("author_kind IN ('agent', 'requester', 'program')", name="author_kind"),
        CheckConstraint("told_by IN ('mail', 'conversation')", name="told_by"),
        Index("ix_ticket_comments_ticket_id_id", "tenant_id", "ticket_id", "id"),
    )

    ticket_id: Mapped[UUID]
    author_kind: Mapped[str] = mapped_column(String(20))
    author_id: Mapped[UUID | None]
    author_name: Mapped[str] = mapped_column(String(200))
    text: Mapped[str]
    public: Mapped[bool]
    told_by: Mapped[str | None] = mapped_column(String(20))
    files: Mapped[list[dict[str, Any]]] = mapped_column(server_default=EMPTY_LIST)
    created_at: Mapped[CreatedAt]


class CsatRating(TenantOwned, Timestamped, Base):
    """What a visitor thought of a conversation, once for each time that it was closed.

    The score outlives the conversation, as a figure of its channel.
    """

    __tablename__ = "csat_ratings"
    __table_args__ = (
        owned_by("conversation_id", "conversations", ondelete="SET NULL (conversation_id)"),
        UniqueConstraint("tenant_id", "conversation_id", "closed_at"),
        CheckConstraint("score BETWEEN 1 AND 5", name="score"),
        Index("ix_csat_ratings_tenant_id_created_at", "tenant_id", "created_at"),
    )

    conversation_id: Mapped[UUID | None]
    channel_id: Mapped[UUID]
    closed_at: Mapped[datetime]
    score: Mapped[int]
    comment: Mapped[str | None]
