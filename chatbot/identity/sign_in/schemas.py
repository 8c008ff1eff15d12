"""Bodies of signing in and out."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, SecretStr, StringConstraints

from chatbot.core.schemas import RequestBody, ResponseBody
from chatbot.identity.passwords import MAX_LENGTH


class SignIn(RequestBody):
    """An address and a password."""

    # A password's own spaces count.
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False, hide_input_in_errors=True)

    email: Annotated[str, StringConstraints(min_length=3, max_length=320, strip_whitespace=True)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=MAX_LENGTH)]


class RefreshToken(RequestBody):
    """The newest refresh token of a session."""

    refresh_token: Annotated[SecretStr, Field(min_length=1, max_length=200)]


class MembershipView(ResponseBody):
    """A role in a tenant."""

    tenant_id: UUID
    role: str


class UserView(ResponseBody):
    """A person who signs in."""

    id: UUID
    email: str
    name: str


class SignedIn(ResponseBody):
    """Tokens of a session; `expires_in` is the access token's, in seconds."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int
    refresh_token: str
    user: UserView


class Me(ResponseBody):
    """Who the credential speaks for; `user` is null for API keys and the command line."""

    subject: str
    role: str
    tenant_id: UUID | None
    memberships: list[MembershipView]
    user: UserView | None
