"""What visitors are told when they wait for a person: messages of the platform itself, in the visitor's language."""

from datetime import datetime
from zoneinfo import ZoneInfo

from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.db.sessions import TenantSession
from chatbot.dialogue.handoff import repository
from chatbot.dialogue.handoff.parts import Held, Messenger, Spoken
from chatbot.dialogue.handoff.schemas import Queue
from chatbot.dialogue.handoff.standing import desk, standing
from chatbot.dialogue.prompts.handoff import HandoffPhrase, handoff_phrase, local_number, local_time
from chatbot.identity.policies.schemas import TenantPolicy


async def tell_place(session: TenantSession, conversation: Held, messenger: Messenger | None) -> None:
    """Tell a visitor who has just begun to wait: the place and the usual wait; outside hours, when people are back."""
    where = await desk(session)
    hours = where.hours(utcnow())
    if hours.open_now:
        queue = (await standing(session, conversation.id)).queue
        assert queue, "the conversation waits"
        text = waiting_words(queue, conversation.language)
    else:
        text = closed_words(where.policy, hours.next_open_at, where.zone, conversation.language)
    await _say(session, conversation, messenger, text)


async def tell(session: TenantSession, conversation: Held, messenger: Messenger | None, phrase: HandoffPhrase) -> None:
    """Tell a visitor one thing."""
    await _say(session, conversation, messenger, handoff_phrase(phrase, conversation.language))


def waiting_words(queue: Queue, language: str) -> str:
    """Say a place in the queue and, where it is known, the usual wait."""
    place: HandoffPhrase = "next" if queue.position == 1 else "place"
    said = [handoff_phrase(place, language).format(position=local_number(str(queue.position), language))]
    if queue.expected_wait_seconds is None:
        said.append(handoff_phrase("soon", language))
    else:
        minutes = max(1, round(queue.expected_wait_seconds / 60))
        said.append(handoff_phrase("minutes", language).format(minutes=local_number(str(minutes), language)))
    return " ".join(said)


def closed_words(policy: TenantPolicy, next_open: datetime | None, zone: ZoneInfo, language: str) -> str:
    """Say that nobody is there, in the tenant's words where it has some, when somebody is, and what can be done."""
    own = policy.hours.closed_message
    said = [own.get(language) or own.get(policy.default_language) or handoff_phrase("nobody", language)]
    if next_open is not None:
        said.append(handoff_phrase("back", language).format(time=local_time(next_open.astimezone(zone), language)))
    said.append(handoff_phrase("leave", language))
    return " ".join(said)


async def _say(session: TenantSession, conversation: Held, messenger: Messenger | None, text: str) -> None:
    row = await repository.append(
        session, conversation, role="system", text=text, language=conversation.language, mode="handoff",
        message_id=new_id(),
    )  # fmt: skip
    if messenger:
        spoken = Spoken(
            conversation.id, conversation.channel_id, row.id, text, conversation.language, by_person=False, notice=True
        )
        await messenger.put_message(session, spoken)
