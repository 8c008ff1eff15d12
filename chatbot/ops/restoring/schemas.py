"""Bodies of what can be brought back."""

from uuid import UUID

from chatbot.core.schemas import ResponseBody, Timestamp
from chatbot.ops.restoring.repository import Kind


class DeletedRecord(ResponseBody):
    """Something that was deleted; until `restorable_until` it can be brought back, then it is purged."""

    kind: Kind
    id: UUID
    tenant_id: UUID | None
    name: str
    deleted_at: Timestamp
    restorable_until: Timestamp
