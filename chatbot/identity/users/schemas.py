"""Bodies of the API of people."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import StringConstraints

from chatbot.core.schemas import Like, RequestBody, ResponseBody, Timestamp
from chatbot.identity.account.schemas import AvatarUrl
from chatbot.identity.policies.schemas import Language
from chatbot.identity.sign_in.schemas import NewPassword, SecretBody
from chatbot.identity.tenants.schemas import Name
from chatbot.identity.users.policy import PersonRow

Email = Annotated[
    str,
    StringConstraints(max_length=320),
    Like(r"^[^@\s<>\"',;:]+@[^@\s<>\"',;:]+\.[^@\s<>\"',;:]+$", "an address such as ann@example.com"),
]
TenantRole = Literal["tenant_admin", "agent", "viewer"]
UserStatus = Literal["active", "suspended", "deleted"]


class ChangeUser(RequestBody):
    """What changes of a person; what is left out stays, null takes picture or language away."""

    name: Name | None = None
    email: Email | None = None
    avatar_url: AvatarUrl | None = None
    locale: Language | None = None
    is_platform_admin: bool | None = None


class PutMembership(RequestBody):
    """What somebody may do in a tenant."""

    role: TenantRole


class MembershipView(ResponseBody):
    """A role in a tenant."""

    tenant_id: UUID
    tenant_name: str
    role: str


class PersonView(ResponseBody):
    """A person as administrators see them: with the memberships in tenants that they administer."""

    id: UUID
    email: str
    name: str
    avatar_url: str | None
    locale: str | None
    status: UserStatus
    totp_enabled: bool
    is_platform_admin: bool
    memberships: list[MembershipView]
    last_sign_in_at: Timestamp | None
    created_at: Timestamp
    deleted_at: Timestamp | None

    @classmethod
    def of(cls, person: PersonRow) -> Self:
        """Return the view of a row."""
        user = person.user
        return cls(
            **{name: getattr(user, name) for name in cls.model_fields if name not in ("status", "memberships")},
            status="deleted" if user.deleted_at else user.status,
            memberships=[
                MembershipView(tenant_id=key, tenant_name=row.tenant_name, role=row.role)
                for key, row in person.memberships.items()
            ],
        )


class ResetLink(ResponseBody):
    """A link to choose a new password, shown this once; good once, for an hour. `mailed`: a mail server took it too."""

    reset_url: str
    token: str
    expires_at: Timestamp
    mailed: bool


class ChooseNewPassword(SecretBody):
    """The token of such a link, and the password to be."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    password: NewPassword
