"""Why a socket is closed: the close code is 4000 and the status of the error."""

from chatbot.core.errors import TooLarge, XinError

SHUTDOWN = 1012
"""Close code of a process that stops."""

TRY_AGAIN = 1013
"""Close code of a process that has lost sight of the conversation; the client comes back and resumes."""


class HelloMissing(XinError):
    """The first frame, `hello`, did not come in time."""

    status = 408
    code = "hello_missing"
    title = "The first frame must be hello, within 10 seconds"


class SlowReader(TooLarge):
    """More waits to be read than is kept for a client."""

    code = "slow_reader"
    title = "The client reads too slowly; it may resume"


def close_code(error: XinError) -> int:
    """Return the close code of an error."""
    return 4000 + error.status
