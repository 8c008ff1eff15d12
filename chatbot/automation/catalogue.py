"""The events that a platform writes: what each means, what its payload holds. Rules and webhooks choose among them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_CONVERSATION = {"conversation_id": "the conversation", "brand_id": "its brand", "channel_id": "its channel"}
_AGENT = {"agent_id": "the agent who did it", "agent_name": "by name"}
_TICKET = {
    "ticket_id": "the ticket", "number": "its number", "brand_id": "its brand", "conversation_id": "its conversation",
    "assignee_id": "whose it is", "status": "its status", "priority": "its priority",
}  # fmt: skip
_FOLLOWER = {"channel_id": "the channel", "thread": "the messenger's name of the visitor"}


@dataclass(frozen=True, slots=True)
class EventKind:
    """One kind of event.

    Attributes:
        meaning: one sentence.
        payload: its keys, in words.
        version: raised when a key changes its meaning or goes away.
    """

    meaning: str
    payload: Mapping[str, str]
    version: int = 1

    @property
    def of_conversation(self) -> bool:
        """Whether it happens in a conversation."""
        return "conversation_id" in self.payload

    @property
    def payload_schema(self) -> dict[str, Any]:
        """The payload as a JSON Schema: any key may be missing or null."""
        return {
            "type": "object",
            "properties": {key: _described(key, words) for key, words in self.payload.items()},
            "additionalProperties": False,
        }


_KINDS: Mapping[str, Mapping[str, Any]] = {
    **{key: {"type": ["integer", "null"]} for key in ("number", "score", "spent", "most")},
    "waited_seconds": {"type": ["number", "null"]},
    **{key: {"type": ["boolean", "null"]} for key in ("commented", "public")},
    "changed": {"type": ["boolean", "object", "null"]},
    **{key: {"type": ["array", "null"], "items": {"type": "string"}} for key in ("tags", "fields", "mentions")},
    "due_at": {"type": ["string", "null"], "format": "date-time"},
}
"""What stands behind a key: else a text, and behind `…_id` an id."""


def _described(key: str, words: str) -> dict[str, Any]:
    usual = {"type": ["string", "null"], **({"format": "uuid"} if key.endswith("_id") else {})}
    return {**_KINDS.get(key, usual), "description": words}


def _talk(meaning: str, **more: str) -> EventKind:
    return EventKind(meaning, {**_CONVERSATION, **more})


def _message(meaning: str) -> EventKind:
    return _talk(meaning, message_id="the message")


def _floor(meaning: str, **more: str) -> EventKind:
    return _talk(meaning, state="who has the conversation now", from_state="who had it", **_AGENT, **more)


def _given(meaning: str) -> EventKind:
    given = {"assignee_id": "who has it now", "assignee_name": "by name", "waited_seconds": "how long it waited"}
    return _floor(meaning, **given)


def _ticket(meaning: str, **more: str) -> EventKind:
    return EventKind(meaning, {**_TICKET, **more})


EVENTS: Mapping[str, EventKind] = {
    "conversation.created": _talk("A visitor has begun a conversation."),
    "conversation.handoff_requested": _floor("A person was asked for.", by="visitor, bot, rule or agent", reason="why"),
    "conversation.taken_over": _given("An agent took the conversation over."),
    "conversation.assigned": _given("The conversation was given to an agent."),
    "conversation.handed_back": _floor("The conversation was given back to the bot."),
    "conversation.closed": _floor("The conversation was closed.", by="agent or visitor"),
    "conversation.reopened": _given("A closed conversation was opened again."),
    "conversation.tagged": EventKind(
        "The tags of a conversation changed.", {"conversation_id": "the conversation", "tags": "all it has now"}
    ),
    "message.received": _talk("A visitor wrote.", message_id="the message", state="who has the conversation"),
    "message.for_person": _message("A visitor wrote what a person must answer."),
    "message.sent": _talk("A reply was stored.", message_id="the reply", mode="how it was answered", **_AGENT),
    "message.edited": _message("A visitor changed a message in their messenger."),
    "message.deleted": _message("A visitor deleted a message in their messenger."),
    "message.reaction": _message("A visitor reacted to a message."),
    "visitor.introduced": _talk("It became known who a visitor is."),
    "visitor.followed": EventKind("A visitor began to follow a bot.", _FOLLOWER),
    "visitor.unfollowed": EventKind("A visitor left a bot.", _FOLLOWER),
    "knowledge.gap": _talk(
        "A question was not answered.", message_id="the reply", mode="no_answer", question_id="the question"
    ),
    "note.created": EventKind(
        "An agent left a note.",
        {"note_id": "the note", "conversation_id": "the conversation", "agent_id": "whose", "mentions": "agents named"},
    ),
    "csat.received": _talk(
        "A visitor rated a conversation.", score="1 to 5", commented="whether with words", changed="whether once more"
    ),
    "ticket.created": _ticket("A ticket was opened.", source="where from", by="by whom"),
    "ticket.updated": _ticket(
        "A ticket changed.", by="by whom", fields="what changed", changed="before and after, the subject apart"
    ),
    "ticket.solved": _ticket("A ticket was solved.", by="by whom"),
    "ticket.commented": _ticket(
        "Somebody commented on a ticket.", comment_id="the comment", public="for the requester too", by="by whom"
    ),
    "ticket.sla_breached": EventKind(
        "A promise of a ticket was broken.",
        {
            **{key: words for key, words in _TICKET.items() if key != "status"},
            "clock": "first_response or resolution",
            "due_at": "when it was due",
        },
    ),
    "agent.presence": EventKind(
        "An agent came or went.",
        {"agent_id": "the agent", "agent_name": "by name", "presence": "online, away or offline"},
    ),
    "delivery.failed": EventKind(
        "A provider says that a message did not arrive.",
        {"channel_id": "the channel", "delivery_id": "the delivery", "message_id": "the message"},
    ),
    "delivery.dead": EventKind(
        "A message could not be delivered and waits as a dead letter.",
        {
            "delivery_id": "the dead letter",
            "channel_id": "the channel",
            "conversation_id": "the conversation",
            "message_id": "the message",
            "action": "what was to be done",
            "reason": "the provider's words",
        },
    ),
    "budget.reached": EventKind(
        "A share of a budget of models is used.",
        {
            "level": "warn, degrade or stop",
            "limit": "tokens_per_day, cost_micros_per_day, tokens_per_month or cost_micros_per_month",
            "most": "the limit",
            "spent": "what is used of it",
        },
    ),
    "channel.dead": EventKind(
        "A channel does not work any more.",
        {"channel_id": "the channel", "channel_type": "its kind", "reason": "what its last test found"},
    ),
}
"""Every event. A payload holds at most these keys; those that an event has no value for are missing or null."""
