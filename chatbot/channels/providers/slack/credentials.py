"""What an operator gives to connect a Slack app."""

from typing import ClassVar

from pydantic import Field, SecretStr

from chatbot.channels.contract import BaseUrl, Credentials

OFFICIAL = "https://slack.com/api"


class SlackCredentials(Credentials):
    """A Slack app, installed in a workspace or an organisation."""

    only_checked: ClassVar[frozenset[str]] = frozenset({"signing_secret"})

    bot_token: SecretStr = Field(
        description="Bot User OAuth Token (`xoxb-…`), from OAuth & Permissions.", min_length=1, max_length=500
    )
    signing_secret: SecretStr = Field(
        description="Signing Secret, from Basic Information; it proves that a request is Slack's.", max_length=200
    )
    api_url: BaseUrl = Field(default=OFFICIAL, description="Base address of the Web API.")
