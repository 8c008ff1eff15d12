"""Bodies of the widget's API."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from chatbot.channels.widget.options import Features, PreChat, UploadRules
from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp
from chatbot.identity.tenants.schemas import EmbedTheme


class OpenSession(RequestBody):
    """Whose chat a page opens; without a brand, the tenant's default one."""

    tenant_id: UUID
    brand_id: UUID | None = None


class WidgetSession(ResponseBody):
    """A visitor's token, and who the visitor is."""

    token: str
    expires_at: Timestamp
    visitor_id: str


class Claimed(ResponseBody):
    """The conversations that were an anonymous visitor's and are the caller's now."""

    conversation_ids: list[UUID]


class Introduce(RequestBody):
    """What a visitor says of themselves: answers to the questions before the chat, by the names of their fields."""

    fields: Annotated[
        dict[Annotated[str, StringConstraints(max_length=40)], Annotated[str, StringConstraints(max_length=500)]],
        Field(max_length=10),
    ]


class WidgetBot(ResponseBody):
    """Who answers."""

    display_name: str
    avatar_url: str | None
    greeting: dict[str, str]


class WidgetTheme(EmbedTheme):
    """How the widget looks: the tenant's colours, and what the channel has of its own."""

    scheme: Literal["light", "dark", "auto"]
    launcher_label: dict[str, str]


class WidgetHours(ResponseBody):
    """Whether people are there; `message` is said while they are not."""

    open_now: bool
    next_open_at: Timestamp | None
    message: dict[str, str]


class WidgetConfig(ResponseBody):
    """Everything that the widget may know before a visitor speaks. A field is public because it stands here."""

    tenant_id: UUID
    brand_id: UUID
    channel_id: UUID
    brand_name: str
    bot: WidgetBot
    theme: WidgetTheme
    locales: list[str]
    default_locale: str
    features: Features
    uploads: UploadRules
    pre_chat: PreChat
    quick_replies: dict[str, list[str]]
    hours: WidgetHours
    mail: bool = Field(description="Whether the brand has an e-mail channel to answer from.")
    gateway_url: str
    version: str


class EmbedSnippet(ResponseBody):
    """What a page needs to show the widget."""

    tenant_id: UUID
    brand_id: UUID | None
    locale: str | None
    src: str
    api_url: str
    gateway_url: str
    snippet: str
