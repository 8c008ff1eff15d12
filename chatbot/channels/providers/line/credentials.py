"""What an operator gives to connect a LINE official account."""

from typing import ClassVar

from pydantic import Field, SecretStr

from chatbot.channels.contract import BaseUrl, Credentials


class LineCredentials(Credentials):
    """A channel of the Messaging API."""

    only_checked: ClassVar[frozenset[str]] = frozenset({"channel_secret"})

    channel_secret: SecretStr = Field(
        min_length=1, max_length=200, description="Channel secret (“Basic settings”), which signs what LINE tells us."
    )
    channel_access_token: SecretStr = Field(
        min_length=1, max_length=1000, description="Long-lived channel access token (“Messaging API”), for our calls."
    )
    api_url: BaseUrl = Field(
        "https://api.line.me",
        description="Base of LINE's API, without a final slash.",
    )
    data_url: BaseUrl = Field(
        "https://api-data.line.me",
        description="Base of LINE's API for files, without a final slash.",
    )
