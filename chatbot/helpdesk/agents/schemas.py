"""Bodies of agents and their presence."""

from typing import Literal
from uuid import UUID

from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp

Presence = Literal["online", "away", "offline"]


class AgentView(ResponseBody):
    """Whoever may answer a tenant's visitors."""

    id: UUID
    name: str
    email: str | None
    avatar_url: str | None
    role: str
    presence: Presence
    open_conversations: int
    last_seen_at: Timestamp | None


class SetPresence(RequestBody):
    """What an agent says of itself in a tenant; it holds while anything is heard of it (the live feed says so)."""

    tenant_id: UUID
    presence: Presence


class PresenceView(ResponseBody):
    """An agent's presence as others see it."""

    agent_id: UUID
    presence: Presence
