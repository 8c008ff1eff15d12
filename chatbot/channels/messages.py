"""Messages of people, and of the platform itself, on their way to a conversation's provider."""

from chatbot.channels.accounts import Accounts, ConnectedChannel
from chatbot.channels.errors import ChannelBroken
from chatbot.channels.inbox.repository import last_thread_of
from chatbot.channels.outbox.service import Outbox
from chatbot.channels.outgoing import Outgoing
from chatbot.core.errors import NotFound
from chatbot.db.sessions import TenantSession
from chatbot.dialogue.handoff.errors import FilesNotSent
from chatbot.dialogue.handoff.parts import Spoken


class Messages:
    """Puts messages that are no replies of a turn into the outbox (a `Messenger` of handoff)."""

    def __init__(self, accounts: Accounts, outbox: Outbox) -> None:
        self._accounts = accounts
        self._outbox = outbox

    async def put_message(self, session: TenantSession, message: Spoken) -> None:
        """Put a message into its conversation's lane, behind what the bot said, in the transaction that stores it.

        Raises:
            FilesNotSent: it has files, which providers cannot fetch from us.
            ChannelBroken: it would have to be sent, and cannot be; a notice is then left out.
        """
        try:
            channel = await self._accounts.get_in(session, message.channel_id)
        except NotFound:  # removed meanwhile: the message is for readers of the rows only
            return
        except ChannelBroken:
            if message.notice or await last_thread_of(session, message.conversation_id) is None:
                return
            raise
        if not sends(channel):
            return
        found = await last_thread_of(session, message.conversation_id)
        if found is None:  # said over sockets and requests, whose clients read the rows
            return
        if message.files:
            raise FilesNotSent
        outgoing = Outgoing(
            thread=found[0], text=message.text, context=found[1], language=message.language,
            by_person=message.by_person, message_id=str(message.message_id),
        )  # fmt: skip
        await self._outbox.put(
            session, channel, outgoing, conversation_id=message.conversation_id, message_id=message.message_id
        )


def sends(channel: ConnectedChannel) -> bool:
    """A channel that posts to an address sends only when there is one."""
    return bool(getattr(channel.account.credentials, "webhook_url", True))
