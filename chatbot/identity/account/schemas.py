"""Bodies of a person's own account."""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from chatbot.core.schemas import Like, PictureAddress, RequestBody, ResponseBody
from chatbot.identity.policies.schemas import Language
from chatbot.identity.sign_in.schemas import NewPassword, Password, SecretBody, UserView
from chatbot.identity.tenants.schemas import Name

AvatarUrl = Annotated[str, StringConstraints(max_length=500), PictureAddress]


class ChangeMe(RequestBody):
    """What changes of one's own profile; what is left out stays, null takes away."""

    name: Name | None = None
    avatar_url: AvatarUrl | None = None
    locale: Language | None = None


class ChangePassword(SecretBody):
    """The password that is, and the one to be."""

    current_password: Password
    new_password: NewPassword


class TotpSecret(ResponseBody):
    """The secret of one-time codes, for an authenticator app: to type, or as a QR code of the address."""

    secret: str
    otpauth_url: str


class EnableTotp(RequestBody):
    """The first code that the app shows."""

    code: Annotated[str, Like(r"^[0-9]{6}$", "six digits")]


class RecoveryCodes(ResponseBody):
    """Codes for when the app is lost, each good once; shown this once."""

    recovery_codes: list[str]


class DisableTotp(SecretBody):
    """The present password."""

    password: Password


class MyMembership(ResponseBody):
    """A role in a tenant."""

    tenant_id: UUID
    tenant_name: str
    role: str


class Me(ResponseBody):
    """Who the credential speaks for; `user` is null for API keys and the command line."""

    subject: str
    role: str
    tenant_id: UUID | None
    memberships: list[MyMembership]
    user: UserView | None
