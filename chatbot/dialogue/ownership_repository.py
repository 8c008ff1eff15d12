"""Who began a conversation, as its row says."""

from uuid import UUID

from chatbot.db.sessions import TenantReader, fetch
from chatbot.dialogue.ownership import Begun

_BEGUN = """
SELECT coalesce(visitor->>'subject', ''), brand_id FROM conversations WHERE tenant_id = %(tenant_id)s AND id = %(id)s
"""


async def begun(session: TenantReader, conversation_id: UUID) -> Begun | None:
    """Return who began a conversation; None: no such conversation."""
    rows = await fetch(session, _BEGUN, {"tenant_id": session.tenant_id, "id": conversation_id})
    return Begun(*rows[0]) if rows else None
