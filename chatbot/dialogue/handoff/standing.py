"""Standing: who has a conversation, its place in the queue, the wait to be expected, the hours."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from chatbot.core.clock import utcnow
from chatbot.core.errors import NotFound
from chatbot.db.sessions import TenantReader
from chatbot.dialogue.handoff import repository
from chatbot.dialogue.handoff.parts import Held
from chatbot.dialogue.handoff.schemas import HoursView, Queue, Standing
from chatbot.dialogue.hot_sessions import HotSession
from chatbot.dialogue.live_repository import ConversationState, conversation_states
from chatbot.dialogue.schemas import Author
from chatbot.identity.policies.hours import OpeningHours
from chatbot.identity.policies.schemas import TenantPolicy
from chatbot.identity.policies.service import current_policy


@dataclass(frozen=True, slots=True)
class Desk:
    """What of a tenant every standing needs: its policy, and the time zone that it lives in."""

    policy: TenantPolicy
    timezone: str

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the hours."""
        return ZoneInfo(self.policy.hours.timezone or self.timezone)

    def hours(self, now: datetime) -> HoursView:
        """Whether people are there."""
        next_open = OpeningHours.of(self.policy.hours, self.timezone).next_open(now)
        return HoursView(open_now=next_open is None, next_open_at=next_open)


async def desk(session: TenantReader) -> Desk:
    """Return the desk of the session's tenant."""
    return Desk(await current_policy(session), await repository.time_zone(session))


async def standing(session: TenantReader, conversation_id: UUID) -> Standing:
    """Return where a conversation stands now.

    Raises:
        NotFound: there is none.
    """
    states = await conversation_states(session, [conversation_id])
    if not states:
        raise NotFound("no such conversation")
    wait = await repository.usual_wait(session) if states[0].position else None
    return standing_of(states[0], wait, (await desk(session)).hours(utcnow()))


async def hot_session(session: TenantReader, conversation: Held) -> HotSession:
    """Return where a conversation stands for whoever operates the platform; it was held by this transaction."""
    (state,) = await conversation_states(session, [conversation.id])
    return HotSession(
        session.tenant_id, conversation.channel_id, conversation.id, state.state, state.last_seq,
        conversation.language, None,
    )  # fmt: skip


def standing_of(state: ConversationState, wait: float | None, hours: HoursView) -> Standing:
    """Return where a conversation stands; `wait` is the usual one, in seconds."""
    queue = None
    if state.position is not None:
        queue = Queue(position=state.position, expected_wait_seconds=None if wait is None else round(wait))
    agent = Author.model_validate(state.agent) if state.agent else None
    return Standing(state=state.state, agent=agent, queue=queue, hours=hours)
