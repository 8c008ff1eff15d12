"""What an operator gives to connect a Discord application."""

from typing import Annotated

from pydantic import Field, SecretStr

from chatbot.channels.contract import BaseUrl, Credentials
from chatbot.core.schemas import Like


class DiscordCredentials(Credentials):
    """A Discord application with its bot."""

    application_id: Annotated[str, Like(r"^[0-9]{1,20}$", "1 to 20 digits")] = Field(
        description="Application ID, from General Information."
    )
    public_key: Annotated[str, Like(r"^([0-9a-fA-F]{64})?$", "64 hexadecimal digits")] = Field(
        description="Public Key, from General Information; it proves that a request is Discord's."
    )
    bot_token: SecretStr = Field(description="Token of the bot, from Bot.", min_length=1, max_length=200)
    api_url: BaseUrl = Field(default="https://discord.com/api/v10", description="Base address of the API.")
