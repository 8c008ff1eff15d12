"""Bodies of the tenants' API."""

import json
from functools import cache
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from chatbot.core.schemas import Like, RequestBody, ResponseBody, Timestamp

MAX_METADATA_BYTES = 16 * 1024
MAX_VISITOR_BYTES = 4 * 1024
_zones = cache(available_timezones)


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("must be an IANA time zone such as Europe/Madrid or Asia/Tehran")
    return name


def _small(value: dict[str, Any]) -> dict[str, Any]:
    size = len(json.dumps(value, ensure_ascii=False).encode())
    if size > MAX_METADATA_BYTES:
        raise ValueError(f"must be at most {MAX_METADATA_BYTES} bytes as JSON, is {size}")
    return value


Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]
Metadata = Annotated[dict[str, Any], AfterValidator(_small)]
Colour = Annotated[str, Like(r"^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$", "a colour such as #f36 or #ff3366")]


class EmbedTheme(RequestBody):
    """How the widget looks; colours are `#rgb` or `#rrggbb`, lengths are pixels."""

    primary: Colour | None = None
    accent: Colour | None = None
    background: Colour | None = None
    text: Colour | None = None
    position: Literal["left", "right"] | None = None
    radius: Annotated[int, Field(ge=0, le=40)] | None = None


class CreateTenant(RequestBody):
    """A new tenant."""

    name: Name
    timezone: TimeZone = "UTC"
    metadata: Metadata = Field(default_factory=dict)
    embed_theme: EmbedTheme = EmbedTheme()


class ChangeTenant(RequestBody):
    """What changes of a tenant; what is left out stays."""

    name: Name | None = None
    timezone: TimeZone | None = None
    metadata: Metadata | None = None
    embed_theme: EmbedTheme | None = None
    default_brand_id: UUID | None = None


class TenantView(ResponseBody):
    """A tenant."""

    id: UUID
    name: str
    timezone: str
    metadata: Annotated[dict[str, Any], Field(validation_alias="attributes")]
    embed_theme: dict[str, Any]
    default_brand_id: UUID | None
    created_at: Timestamp
    updated_at: Timestamp


def _id_as_text(value: object) -> object:
    return _as_text(value) if not isinstance(value, bool) else value


def _as_text(value: object) -> object:
    """A number or a truth value as JSON writes it; anything else is left to the check of texts."""
    return json.dumps(value) if isinstance(value, bool | int | float) else value


VisitorId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    BeforeValidator(_id_as_text, json_schema_input_type=str | int | float),
]
Extra = Annotated[
    str, StringConstraints(max_length=500), BeforeValidator(_as_text, json_schema_input_type=str | bool | int | float)
]


class EmbedUser(RequestBody):
    """The visitor whom the host page vouches for; further fields are carried along as text, null is left out.

    Numbers and true or false become what JSON writes for them: the id 42 is `"42"`.
    """

    model_config = RequestBody.model_config | {"extra": "allow"}
    __pydantic_extra__: dict[str, Extra | None]

    id: VisitorId | None = None
    name: Annotated[str, StringConstraints(max_length=200)] | None = None
    email: Annotated[str, StringConstraints(max_length=320)] | None = None


class CreateEmbedToken(RequestBody):
    """For whom a token is made; without a brand, the tenant's default one."""

    user: EmbedUser | None = None
    brand_id: UUID | None = None
    origin: Annotated[str, Like(r"^https?://[^/\s]{1,250}$", "an origin such as https://www.example.com")] | None = None


class EmbedToken(ResponseBody):
    """A visitor's token and when it ends."""

    token: str
    expires_at: Timestamp
