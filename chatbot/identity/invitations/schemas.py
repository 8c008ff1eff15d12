"""Bodies of invitations."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import StringConstraints

from chatbot.core.clock import utcnow
from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp
from chatbot.db.models import Invitation
from chatbot.identity.sign_in.schemas import NewPassword, SecretBody
from chatbot.identity.tenants.schemas import Name
from chatbot.identity.users.schemas import Email, TenantRole


class CreateInvitation(RequestBody):
    """Who is asked to become a member of a tenant, with which role; the name is a proposal."""

    tenant_id: UUID
    email: Email
    role: TenantRole
    name: Name | None = None


class InvitationView(ResponseBody):
    """An invitation without its token."""

    id: UUID
    tenant_id: UUID
    email: str
    name: str
    role: TenantRole
    status: Literal["open", "accepted", "revoked", "expired"]
    invited_by: str
    created_at: Timestamp
    expires_at: Timestamp

    @classmethod
    def of(cls, row: Invitation) -> Self:
        """Return the view of a row."""
        fields = {name: getattr(row, name) for name in cls.model_fields if name != "status"}
        return cls(**fields, status=_status(row))


class NewInvitation(InvitationView):
    """An invitation as it is shown once; whoever has the link may accept. `mailed`: a mail server took it too."""

    token: str
    url: str
    mailed: bool


class AcceptInvitation(SecretBody):
    """The token of an invitation; the password to be, or the present one of somebody who is a user already."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)] | None = None
    password: NewPassword


class Accepted(ResponseBody):
    """Whoever accepted may sign in with this address."""

    email: str
    tenant_id: UUID


def _status(row: Invitation) -> str:
    if row.accepted_at:
        return "accepted"
    if row.revoked_at:
        return "revoked"
    return "open" if row.expires_at > utcnow() else "expired"
