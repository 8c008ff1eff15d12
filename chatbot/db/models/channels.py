"""Channels, their secrets and live state; what came in through them and what goes out."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, LargeBinary, String, UniqueConstraint, text
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


class Channel(TenantOwned, Timestamped, Base):
    """One way in for one brand; every brand has a `web` channel from its creation.

    A deleted one keeps its conversations and answers nothing.
    """

    __tablename__ = "channels"
    __table_args__ = (owned_by("brand_id", "brands"), Index("ix_channels_id", "id"))

    brand_id: Mapped[UUID] = mapped_column(index=True)
    channel_type: Mapped[str] = mapped_column(String(20))
    display_name: Mapped[ShortText]
    configuration: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    deleted_at: Mapped[datetime | None]


class ChannelSecret(TenantOwned, Base):
    """A sealed secret of a channel: ours (`secret`) or the provider's (`credentials`).

    `expires_at` is set when a newer one has taken its place: until then both prove a request.
    """

    __tablename__ = "channel_secrets"
    __table_args__ = (
        owned_by("channel_id", "channels"),
        CheckConstraint("purpose IN ('secret', 'credentials')", name="purpose"),
    )

    channel_id: Mapped[UUID] = mapped_column(index=True)
    purpose: Mapped[str] = mapped_column(String(20))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[str] = mapped_column(String(16))
    expires_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]


class ChannelState(TenantOwned, Base):
    """How a channel lives; `id` is the channel's. A listener's cursor and the lease of who listens are here too."""

    __tablename__ = "channel_states"
    __table_args__ = (owned_by("id", "channels"),)

    state: Mapped[str] = mapped_column(String(20), server_default="idle")
    cursor: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    alive_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    last_error_at: Mapped[datetime | None]
    errors: Mapped[int] = mapped_column(server_default=text("0"))
    rate_limited: Mapped[int] = mapped_column(server_default=text("0"))
    restarts: Mapped[int] = mapped_column(server_default=text("0"))
    blocked_until: Mapped[datetime | None]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(server_default=EMPTY_LIST)
    checked_at: Mapped[datetime | None]
    lease_owner: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[datetime | None]


class InboundEvent(TenantOwned, Base):
    """Everything that a provider told us, once: the unique key is what makes a repeat harmless."""

    __tablename__ = "inbound_events"
    __table_args__ = (
        owned_by("channel_id", "channels"),
        UniqueConstraint("tenant_id", "channel_id", "provider_event_id"),
        Index("ix_inbound_events_channel_id_id", "tenant_id", "channel_id", "id"),
        Index(
            "ix_inbound_events_message_id", "tenant_id", "message_id", postgresql_where=text("message_id IS NOT NULL")
        ),
    )

    channel_id: Mapped[UUID]
    provider_event_id: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    thread: Mapped[str]
    conversation_id: Mapped[UUID | None]
    message_id: Mapped[UUID | None]
    context: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    payload: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    occurred_at: Mapped[datetime | None]
    received_at: Mapped[CreatedAt]


class Attachment(TenantOwned, Base):
    """A file of a message; `status` pending until it is in the blob store, or why it is not.

    One that an agent is about to send belongs to the conversation alone; `uploaded_by` says to whom it is.
    """

    __tablename__ = "attachments"
    __table_args__ = (
        owned_by("message_id", "messages"),
        owned_by("conversation_id", "conversations"),
        owned_by("channel_id", "channels"),
        CheckConstraint("status IN ('pending', 'stored', 'refused')", name="status"),
        CheckConstraint("message_id IS NOT NULL OR conversation_id IS NOT NULL", name="place"),
        Index("ix_attachments_id", "id"),
        Index("ix_attachments_conversation_id", "tenant_id", "conversation_id"),
    )

    message_id: Mapped[UUID | None] = mapped_column(index=True)
    conversation_id: Mapped[UUID | None]
    uploaded_by: Mapped[str | None] = mapped_column(String(300))
    channel_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(20))
    provider_ref: Mapped[str]
    name: Mapped[str | None]
    mime: Mapped[str | None] = mapped_column(String(200))
    size: Mapped[int | None]
    blob_key: Mapped[str | None] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(20), server_default="pending")
    reason: Mapped[str | None]
    created_at: Mapped[CreatedAt]


class Visitor(TenantOwned, Timestamped, Base):
    """What a visitor of the web chat said of themselves before it; `subject` is who they are in conversations."""

    __tablename__ = "visitors"
    __table_args__ = (UniqueConstraint("tenant_id", "subject"),)

    subject: Mapped[str] = mapped_column(String(300))
    fields: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)


class Delivery(TenantOwned, Base):
    """One call to a provider that must be made: a row of the outbox.

    Rows of one `lane` (a conversation) are sent one after the other, in the order of `position`.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        owned_by("channel_id", "channels"),
        CheckConstraint("status IN ('pending', 'sent', 'dead')", name="status"),
        Index("ix_deliveries_open", "tenant_id", "lane", "position", postgresql_where=text("status = 'pending'")),
        Index(
            "ix_deliveries_provider_message_id",
            "tenant_id", "channel_id", "provider_message_id",
            postgresql_where=text("provider_message_id IS NOT NULL"),
        ),
        Index("ix_deliveries_dead", "tenant_id", "id", postgresql_where=text("status = 'dead'")),
        Index("ix_deliveries_conversation_id_id", "tenant_id", "conversation_id", "id"),
        Index("ix_deliveries_id", "id"),
        Index(
            "ix_deliveries_message_id", "tenant_id", "message_id", postgresql_where=text("message_id IS NOT NULL")
        ),
    )  # fmt: skip

    channel_id: Mapped[UUID]
    lane: Mapped[str] = mapped_column(String(60))
    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    conversation_id: Mapped[UUID | None]
    message_id: Mapped[UUID | None]
    action: Mapped[str] = mapped_column(String(80))
    body: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(20), server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    due_at: Mapped[datetime]
    last_error: Mapped[str | None]
    provider_message_id: Mapped[str | None] = mapped_column(String(300))
    receipt: Mapped[str | None] = mapped_column(String(20))
    correlation_id: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[CreatedAt]
    finished_at: Mapped[datetime | None]


class DeliveryAttempt(TenantOwned, Base):
    """One try of a delivery: what came of it, in the provider's words."""

    __tablename__ = "delivery_attempts"
    __table_args__ = (owned_by("delivery_id", "deliveries"),)

    delivery_id: Mapped[UUID] = mapped_column(index=True)
    number: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(20))
    words: Mapped[str]
    took_ms: Mapped[int]
    created_at: Mapped[CreatedAt]
