"""What can be wrong with a request about tickets."""

from chatbot.core.errors import Conflict


class VersionConflict(Conflict):
    """Somebody else has changed the ticket since the version named."""

    code = "version_conflict"
    title = "Somebody else has changed this in the meantime"


class StatusConflict(Conflict):
    """A ticket does not go from its status to the one asked for."""

    code = "status_conflict"
    title = "A ticket cannot go from its status to that one"
