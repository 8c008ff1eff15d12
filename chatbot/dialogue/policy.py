"""What the tenant's policies in force say about a turn."""

from chatbot.db.sessions import TenantReader
from chatbot.dialogue.parts import TurnPolicy

_PERSONA = "You are the support assistant of this company: friendly, precise and honest."


async def turn_policy(session: TenantReader) -> TurnPolicy:
    """Return the policies of the session's tenant."""
    return TurnPolicy(persona=_PERSONA)
