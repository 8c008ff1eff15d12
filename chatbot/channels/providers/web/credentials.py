"""What an operator may give for the web chat; nothing is needed for the widget."""

from pydantic import Field

from chatbot.channels.contract import Credentials


class WebCredentials(Credentials):
    """Where answers go that a server asked to have later."""

    webhook_url: str = Field(
        "",
        pattern=r"^(https?://.*)?$",
        max_length=2048,
        description="The address for signed POSTs with answers that were asked for with `async`; empty: none.",
    )
