"""The floor of a conversation: bot → waiting → human → closed, and every way between them.

Each change holds the conversation's row, raises its epoch and withdraws the replies that are on their way, in one
transaction: what a bot began before can never be stored after it. A message of an agent is stored in the transaction
that has seen that nobody else has the conversation.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from chatbot.core.errors import NotFound
from chatbot.core.ids import new_id
from chatbot.core.metrics import HANDOFF_WAIT
from chatbot.db.sessions import TenantSession
from chatbot.dialogue.errors import ClientIdTaken
from chatbot.dialogue.handoff import notices, repository
from chatbot.dialogue.handoff.errors import ConversationClosed, HeldByAnother, NotYours
from chatbot.dialogue.handoff.parts import Agent, Held, Messenger, Spoken, Wish
from chatbot.dialogue.log_repository import EventRow
from chatbot.dialogue.repository import MessageRow


async def held(session: TenantSession, conversation_id: UUID) -> Held:
    """Lock a conversation.

    Raises:
        NotFound: there is none.
    """
    found = await repository.hold(session, conversation_id)
    if found is None:
        raise NotFound("no such conversation")
    return found


async def request(session: TenantSession, conversation: Held, wish: Wish, messenger: Messenger | None) -> None:
    """Put a conversation into the queue for a person and tell the visitor; one that is there, or has one, stays so.

    Raises:
        ConversationClosed: nobody can be asked for any more.
    """
    if conversation.state == "closed":
        raise ConversationClosed
    if conversation.state == "bot":
        await _queue(session, conversation, wish)
        await notices.tell_place(session, conversation, messenger)


async def return_to_queue(
    session: TenantSession, conversation: Held, since: datetime, messenger: Messenger | None
) -> None:
    """Take a conversation from an agent who is gone since a time; it waits since then, so it is among the first."""
    agent = conversation.assignee
    if conversation.state != "human" or agent is None:
        return
    wish = Wish("absence", conversation.handoff_reason)
    await _queue(session, conversation, wish, since=since, about={"left_by": str(agent.id)})
    await notices.tell(session, conversation, messenger, "returned")


async def take(session: TenantSession, conversation: Held, agent: Agent, *, force: bool = False) -> None:
    """Give a conversation to an agent who asks for it; a closed one is opened again.

    Raises:
        HeldByAnother: another agent has it, and it is not taken by force.
    """
    holder = _holder(conversation)
    if holder and holder.id == agent.id:
        return
    if holder and not force:
        raise HeldByAnother(f"{holder.name} has this conversation")
    await _give(session, conversation, agent, "conversation.taken_over", by=agent)


async def assign(session: TenantSession, conversation: Held, to: Agent | None, by: Agent) -> None:
    """Give a conversation to an agent, or (None) to whoever comes first.

    Raises:
        ConversationClosed: it must be opened again first.
    """
    if conversation.state == "closed":
        raise ConversationClosed
    if to is not None:
        holder = _holder(conversation)
        if holder is None or holder.id != to.id:
            await _give(session, conversation, to, "conversation.assigned", by=by)
    elif conversation.state != "waiting":
        await _queue(session, conversation, Wish("agent", conversation.handoff_reason), about=_by(by))


async def hand_back(session: TenantSession, conversation: Held, agent: Agent) -> None:
    """Give a conversation back to the bot.

    Raises:
        NotYours: another agent has it.
        ConversationClosed: it must be opened again first.
    """
    _require_free(conversation, agent)
    if conversation.state == "closed":
        raise ConversationClosed
    if conversation.state != "bot":
        await _leave(session, conversation, "bot", "conversation.handed_back", _by(agent))


async def close(session: TenantSession, conversation: Held, by: Agent | None) -> None:
    """Close a conversation, by an agent or (None) its visitor; who had it last stays on record."""
    if conversation.state == "closed":
        return
    about = {**_by(by), "by": "agent" if by else "visitor"}
    await _leave(session, conversation, "closed", "conversation.closed", about, keeps=conversation.assignee)


async def reopen(session: TenantSession, conversation: Held, agent: Agent) -> None:
    """Open a closed conversation again: for who had it last, else for whoever comes first."""
    if conversation.state != "closed":
        return
    to = conversation.assignee
    if to:
        await _give(session, conversation, to, "conversation.reopened", by=agent)
    else:
        about = {**conversation.about(), **_by(agent), "state": "waiting"}
        events = [EventRow("conversation.reopened", about)]
        await repository.change_floor(session, conversation.id, "waiting", events=events)
        await repository.open_handoff(session, conversation.id, "agent", None)
        await repository.wake_queue(session)


async def say(
    session: TenantSession,
    conversation: Held,
    agent: Agent,
    text: str,
    *,
    client_message_id: str,
    messenger: Messenger | None,
    files: int = 0,
) -> tuple[MessageRow, bool]:
    """Store an agent's message and send it on its way; whoever writes where nobody is takes the conversation over.

    Args:
        files: how many the caller makes part of it, in the same transaction.

    Returns:
        The message, and whether it is new: a repeat of the same client id returns the stored one.

    Raises:
        NotYours: another agent has the conversation; nothing was stored.
        ClientIdTaken: another message has this id.
        FilesNotSent: the visitor's channel takes no files from us.
    """
    known = await repository.message_by_client_id(session, conversation.id, client_message_id)
    if known is not None:
        if known.role != "agent" or not known.author or known.author["id"] != str(agent.id):
            raise ClientIdTaken
        return known, False
    _require_free(conversation, agent)
    if _holder(conversation) is None:
        await _give(session, conversation, agent, "conversation.taken_over", by=agent)
    message_id = new_id()
    about = {**conversation.about(), "message_id": str(message_id), "mode": "human", **_by(agent)}
    row = await repository.append(
        session, conversation, role="agent", text=text, language=conversation.language, mode="human", agent=agent,
        client_message_id=client_message_id, message_id=message_id, events=[EventRow("message.sent", about)],
    )  # fmt: skip
    if messenger:
        spoken = Spoken(
            conversation.id, conversation.channel_id, row.id, text, conversation.language, by_person=True, files=files
        )
        await messenger.put_message(session, spoken)
    return row, True


async def announce(session: TenantSession, conversation: Held, text: str, messenger: Messenger | None) -> MessageRow:
    """Say something of the platform's own accord (a rule's), where no person has the conversation.

    Raises:
        HeldByAnother: a person has it, and is not talked over.
    """
    holder = _holder(conversation)
    if holder is not None:
        raise HeldByAnother(f"{holder.name} has this conversation")
    message_id = new_id()
    about = {**conversation.about(), "message_id": str(message_id), "mode": "rule"}
    row = await repository.append(
        session, conversation, role="bot", text=text, language=conversation.language, mode="rule",
        message_id=message_id, events=[EventRow("message.sent", about)],
    )  # fmt: skip
    if messenger:
        spoken = Spoken(conversation.id, conversation.channel_id, row.id, text, conversation.language, by_person=False)
        await messenger.put_message(session, spoken)
    return row


async def _queue(
    session: TenantSession,
    conversation: Held,
    wish: Wish,
    *,
    since: datetime | None = None,
    about: dict[str, Any] | None = None,
) -> None:
    payload = {**conversation.about(), **(about or {}), "state": "waiting", "by": wish.by, "reason": wish.reason}
    await repository.change_floor(
        session, conversation.id, "waiting", since=since, reason=wish.reason,
        events=[EventRow("conversation.handoff_requested", payload)],
    )  # fmt: skip
    await repository.open_handoff(session, conversation.id, wish.by, wish.reason)


async def _give(session: TenantSession, conversation: Held, agent: Agent, event: str, *, by: Agent) -> None:
    waited = await repository.settle_handoff(session, conversation.id, agent.id)
    if waited is not None:
        HANDOFF_WAIT.observe(waited)
    about = {
        **conversation.about(),
        **_by(by),
        "state": "human",
        "assignee_id": str(agent.id),
        "assignee_name": agent.name,
        "from_state": conversation.state,
        "waited_seconds": waited,
    }
    await repository.change_floor(
        session, conversation.id, "human", assignee_id=agent.id, reason=conversation.handoff_reason,
        events=[EventRow(event, about)],
    )  # fmt: skip
    if conversation.state == "waiting":
        await repository.wake_queue(session)


async def _leave(
    session: TenantSession,
    conversation: Held,
    state: str,
    event: str,
    about: dict[str, Any],
    *,
    keeps: Agent | None = None,
) -> None:
    await repository.settle_handoff(session, conversation.id, None)
    events = [EventRow(event, {**conversation.about(), **about, "state": state, "from_state": conversation.state})]
    await repository.change_floor(
        session, conversation.id, state, assignee_id=keeps.id if keeps else None, events=events
    )
    if conversation.state == "waiting":
        await repository.wake_queue(session)


def _holder(conversation: Held) -> Agent | None:
    return conversation.assignee if conversation.state == "human" else None


def _require_free(conversation: Held, agent: Agent) -> None:
    holder = _holder(conversation)
    if holder and holder.id != agent.id:
        raise NotYours(f"{holder.name} has this conversation")


def _by(agent: Agent | None) -> dict[str, Any]:
    return {"agent_id": str(agent.id), "agent_name": agent.name} if agent else {}
