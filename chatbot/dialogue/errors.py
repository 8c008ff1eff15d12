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


class ClientMessageIdReused(Conflict):
    """A client's message id came again with another text, which must not be answered with the first one's reply."""

    code = "client_message_id_reused"
    title = "This client_message_id belongs to another message"
