"""What can be wrong with a rating."""

from chatbot.core.errors import Conflict


class NotClosed(Conflict):
    """The conversation goes on."""

    code = "not_closed"
    title = "A conversation is rated when it is closed"


class RatingIsFinal(Conflict):
    """The rating was given too long ago to be changed."""

    code = "rating_is_final"
    title = "This rating cannot be changed any more"
