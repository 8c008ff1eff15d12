"""What an agent says in a conversation without having it: the answer to a ticket, which may be long after it ended."""

from uuid import UUID

from chatbot.core.ids import new_id
from chatbot.db.sessions import TenantSession
from chatbot.dialogue.handoff import repository
from chatbot.dialogue.handoff.parts import Agent, Messenger, Spoken
from chatbot.dialogue.log_repository import EventRow


async def remark(
    session: TenantSession, conversation_id: UUID, agent: Agent, text: str, messenger: Messenger | None
) -> bool:
    """Store an agent's message and send it on its way; who has the conversation, and its state, stay as they are.

    Returns:
        False when there is no such conversation any more.
    """
    conversation = await repository.hold(session, conversation_id)
    if conversation is None:
        return False
    message_id = new_id()
    about = {**conversation.about(), "message_id": str(message_id), "mode": "human",
             "agent_id": str(agent.id), "agent_name": agent.name}  # fmt: skip
    await repository.append(
        session, conversation, role="agent", text=text, language=conversation.language, mode="human", agent=agent,
        message_id=message_id, events=[EventRow("message.sent", about)],
    )  # fmt: skip
    if messenger:
        spoken = Spoken(conversation.id, conversation.channel_id, message_id, text, conversation.language,
                        by_person=True)  # fmt: skip
        await messenger.put_message(session, spoken)
    return True
