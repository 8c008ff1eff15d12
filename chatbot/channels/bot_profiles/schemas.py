"""Bodies of `/admin/bots` and `/bots.config.json`."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from chatbot.channels.schemas import StateView
from chatbot.core.schemas import Like, RequestBody, ResponseBody, Timestamp
from chatbot.identity.policies.schemas import ByLanguage, ModelName, Text200, Text8000
from chatbot.identity.tenants.schemas import EmbedTheme

Origin = Annotated[
    str,
    StringConstraints(to_lower=True, max_length=260),
    Like(
        r"^[Hh][Tt][Tt][Pp][Ss]?://([A-Za-z0-9-]+\.)*[A-Za-z0-9-]+(:[0-9]{1,5})?$",
        "an origin such as https://shop.example.com, without a path",
    ),
]


class PersonaView(ResponseBody):
    """How a bot speaks."""

    instructions: str
    tone: str


class BotView(ResponseBody):
    """A channel's bot as it is now.

    Attributes:
        channel_name: what operators call the channel; `display_name` is what the bot calls itself.
        model: asked first; null while models are switched off for the tenant or the platform.
        own: names of the fields that are the channel's own; the others are the tenant's policy.
        allowed_origins: web pages to which `/bots.config.json` shows the bot.
    """

    channel_id: UUID
    tenant_id: UUID
    brand_id: UUID
    brand_name: str
    channel_type: str
    channel_name: str
    enabled: bool
    display_name: str
    persona: PersonaView
    greeting: dict[str, str]
    model: str | None
    own: list[str]
    allowed_origins: list[str]
    live: StateView
    created_at: Timestamp
    updated_at: Timestamp


class ChangePersona(RequestBody):
    """How this channel's bot speaks; null is the tenant's."""

    instructions: Text8000 | None = None
    tone: Text200 | None = None


class ChangeBot(RequestBody):
    """What changes of a channel's bot, from its next turn on: what is left out stays, null is the tenant's again."""

    display_name: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    persona: ChangePersona | None = None
    greeting: ByLanguage | None = None
    model: ModelName | None = None
    allowed_origins: Annotated[list[Origin], Field(max_length=50)] | None = None


class PublicBot(ResponseBody):
    """What a web page may know of a bot. A field is public because it stands here."""

    id: UUID
    brand: str
    channel_type: str
    display_name: str
    greeting: dict[str, str]
    locales: list[str]
    theme: EmbedTheme


class PublicBots(ResponseBody):
    """The bots of an origin."""

    bots: list[PublicBot]
