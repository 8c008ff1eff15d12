"""What can be wrong with a request of the dialogue."""

from chatbot.core.errors import Conflict, TooManyRequests


class ConversationBusy(TooManyRequests):
    """Several messages of this conversation still wait for their replies."""

    code = "conversation_busy"
    title = "Earlier messages are still being answered"


class AlreadyAsked(Conflict):
    """The provider's event is stored in another conversation."""

    code = "already_asked"
    title = "This event was received in another conversation"


class ClientIdTaken(Conflict):
    """Another message of the conversation has this client id."""

    code = "client_message_id_taken"
    title = "Another message has this client_message_id"
