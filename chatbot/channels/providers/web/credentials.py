"""What an operator may give for the web chat; nothing is needed for the widget."""

from pydantic import Field

from chatbot.channels.contract import Credentials, OptionalAddress


class WebCredentials(Credentials):
    """Where answers go that a server asked to have later."""

    webhook_url: OptionalAddress = Field(
        "",
        description="The address for signed POSTs with answers that were asked for with `async`; empty: none.",
    )
