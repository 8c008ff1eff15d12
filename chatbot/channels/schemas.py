"""Bodies of the channels' API."""

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from chatbot.channels.widget.options import WidgetOptions
from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp
from chatbot.identity.tenants.schemas import Name

ChannelType = Literal[
    "web", "telegram", "bale", "whatsapp", "messenger", "instagram", "slack", "discord", "sms", "line", "viber",
    "email", "webhook",
]  # fmt: skip
DeliveryStatus = Literal["pending", "sent", "dead"]


class CreateChannel(RequestBody):
    """A new channel; `credentials` are the provider's, documented by type in docs/channels."""

    tenant_id: UUID
    brand_id: UUID | None = Field(None, description="The tenant's default brand when neither is given.")
    brand_name: Name | None = Field(
        None, description="In place of the id, whatever its capitals; a new name makes a brand."
    )
    channel_type: ChannelType
    display_name: Name
    credentials: dict[str, Any] = Field(default_factory=dict, max_length=40)


class ChangeChannel(RequestBody):
    """What changes of a channel; new credentials take over at once, the old ones prove requests for 15 minutes."""

    display_name: Name | None = None
    enabled: bool | None = None
    credentials: dict[str, Any] | None = Field(None, max_length=40)
    widget: WidgetOptions | None = Field(None, description="Of a web channel; an option that is left out stays.")


class RotateSecret(RequestBody):
    """What a rotation replaces: our secret always; the provider's credentials when they are given."""

    credentials: dict[str, Any] | None = Field(None, max_length=40)


class FindingView(ResponseBody):
    """One thing that was looked at, in words."""

    name: str
    ok: bool
    words: str


class StateView(ResponseBody):
    """How a channel lives; `lag_seconds` is the time since a listener last heard from its provider."""

    state: str
    last_event_at: Timestamp | None = None
    last_error: str | None = None
    last_error_at: Timestamp | None = None
    errors: int = 0
    rate_limited: int = 0
    restarts: int = 0
    lag_seconds: float | None = None
    findings: list[FindingView] = Field(default_factory=list)
    checked_at: Timestamp | None = None


class ChannelView(ResponseBody):
    """A channel; secrets among the credentials are masked."""

    id: UUID
    tenant_id: UUID
    brand_id: UUID
    channel_type: str
    display_name: str
    enabled: bool
    webhook_url: str
    credentials: dict[str, Any]
    widget: WidgetOptions | None = Field(description="How a web channel's widget is; null for the others.")
    live: StateView
    created_at: Timestamp
    updated_at: Timestamp


class CreatedChannel(ChannelView):
    """A new channel with its secret, which is shown only now."""

    secret: str


class RotatedSecret(ResponseBody):
    """A channel's new secret, shown only now; the one before works until `previous_until`.

    `registration` tells whether the provider, which was told the old one, knows the new one; null: it was told none.
    """

    id: UUID
    secret: str
    previous_until: Timestamp
    registration: FindingView | None = None


class TestReport(ResponseBody):
    """What works and what does not, in words."""

    ok: bool
    findings: list[FindingView]


class AttemptView(ResponseBody):
    """One try of a delivery and the provider's words."""

    number: int
    outcome: str
    words: str
    took_ms: int
    created_at: Timestamp


class DeliveryView(ResponseBody):
    """One call of the outbox."""

    id: UUID
    channel_id: UUID
    conversation_id: UUID | None
    message_id: UUID | None
    action: str
    status: str
    attempts: int
    due_at: Timestamp
    last_error: str | None
    provider_message_id: str | None
    receipt: str | None
    correlation_id: str | None
    created_at: Timestamp
    finished_at: Timestamp | None


class DeliveryDetail(DeliveryView):
    """A delivery with what is sent (null for viewers, who read no messages) and every try of it."""

    body: dict[str, Any] | None
    tries: list[AttemptView]
