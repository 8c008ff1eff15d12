"""What an operator gives to connect a program of their own."""

from typing import Annotated

from pydantic import Field

from chatbot.channels.contract import Credentials
from chatbot.core.schemas import HttpAddress


class WebhookCredentials(Credentials):
    """Where answers are sent; both directions are signed with the channel's secret."""

    webhook_url: Annotated[str, HttpAddress] = Field(
        max_length=2048, description="The address that our signed POSTs with answers go to."
    )
