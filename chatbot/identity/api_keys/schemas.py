"""Bodies of the API keys' API."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime

from chatbot.core.clock import utcnow
from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp
from chatbot.identity.tenants.schemas import Name


def _to_come(moment: datetime) -> datetime:
    if moment <= utcnow():
        raise ValueError("must be a time to come")
    return moment


class CreateApiKey(RequestBody):
    """A new key; its role is at most the caller's own."""

    tenant_id: UUID
    name: Name
    role: Literal["tenant_admin", "agent", "viewer"]
    expires_at: Annotated[AwareDatetime, AfterValidator(_to_come)] | None = None


class ApiKeyView(ResponseBody):
    """A key without its secret; `hint` is how it begins."""

    id: UUID
    tenant_id: UUID
    name: str
    role: str
    hint: str
    created_at: Timestamp
    expires_at: Timestamp | None
    last_used_at: Timestamp | None
    revoked_at: Timestamp | None


class NewApiKey(ApiKeyView):
    """A key as it is shown once."""

    key: str


class RotatedApiKey(NewApiKey):
    """A key's successor as it is shown once, and until when the key before it works too."""

    previous_id: UUID
    previous_until: Timestamp
