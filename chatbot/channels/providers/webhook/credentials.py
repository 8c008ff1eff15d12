"""What an operator gives to connect a program of their own."""

from pydantic import Field

from chatbot.channels.contract import Credentials


class WebhookCredentials(Credentials):
    """Where answers are sent; both directions are signed with the channel's secret."""

    webhook_url: str = Field(
        pattern=r"^https?://", max_length=2048, description="The address that our signed POSTs with answers go to."
    )
