"""Bodies of signing in and out."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, SecretStr, StringConstraints

from chatbot.core.schemas import RequestBody, ResponseBody
from chatbot.identity.passwords import MAX_LENGTH, MIN_LENGTH


class SecretBody(RequestBody):
    """A body with a password: its own spaces count, and errors do not repeat it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False, hide_input_in_errors=True)


EmailText = Annotated[str, StringConstraints(min_length=3, max_length=320, strip_whitespace=True)]
Password = Annotated[SecretStr, Field(min_length=1, max_length=MAX_LENGTH)]
NewPassword = Annotated[SecretStr, Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH)]


class SignIn(SecretBody):
    """An address and a password; `cookie` asks for the refresh token as a cookie that no script can read.

    `totp` is the one-time code of somebody who has switched them on, or a recovery code.
    """

    email: EmailText
    password: Password
    totp: Annotated[str, StringConstraints(max_length=40)] | None = None
    cookie: bool = False


class RefreshToken(RequestBody):
    """The newest refresh token of a session."""

    refresh_token: Annotated[SecretStr, Field(min_length=1, max_length=200)]


class UserView(ResponseBody):
    """A person who signs in."""

    id: UUID
    email: str
    name: str
    avatar_url: str | None
    locale: str | None
    totp_enabled: bool
    is_platform_admin: bool


class SignedIn(ResponseBody):
    """Tokens of a session; `expires_in` is the access token's, in seconds; the refresh token is null in a cookie."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int
    refresh_token: str | None
    user: UserView


class OidcProvider(ResponseBody):
    """A provider of sign-in; its `id` stands in the address that begins it."""

    id: str
    name: str


class Providers(ResponseBody):
    """The ways to sign in here."""

    password: bool = True
    oidc: list[OidcProvider]
