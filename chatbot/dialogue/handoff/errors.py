"""Why the floor of a conversation is not given."""

from chatbot.core.errors import Conflict


class HeldByAnother(Conflict):
    """Another agent has the conversation; the detail names who."""

    code = "held_by_another"
    title = "Another agent has this conversation"


class NotYours(Conflict):
    """What only whoever has the conversation may do; the detail names who has it."""

    code = "not_yours"
    title = "This conversation is not yours"


class ConversationClosed(Conflict):
    """Nothing is said in a closed conversation any more."""

    code = "conversation_closed"
    title = "This conversation is closed"


class NoPeople(Conflict):
    """The tenant's policy offers no person."""

    code = "handoff_not_offered"
    title = "No person can be asked for here"


class FilesNotSent(Conflict):
    """A message with files for a visitor whose channel takes none from us; nothing was stored."""

    code = "files_not_sent"
    title = "This channel takes no files from us; send a link"
