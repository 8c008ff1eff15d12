"""Bodies of the brands' API."""

from uuid import UUID

from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp
from chatbot.identity.tenants.schemas import Name


class CreateBrand(RequestBody):
    """A new brand; its name is unique within the tenant, whatever its capitals."""

    tenant_id: UUID
    name: Name


class ChangeBrand(RequestBody):
    """What changes of a brand."""

    name: Name


class BrandView(ResponseBody):
    """A brand."""

    id: UUID
    tenant_id: UUID
    name: str
    created_at: Timestamp
    updated_at: Timestamp
