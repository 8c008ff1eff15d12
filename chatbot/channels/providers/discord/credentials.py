"""What an operator gives to connect a Discord application."""

from pydantic import Field, SecretStr

from chatbot.channels.contract import Credentials


class DiscordCredentials(Credentials):
    """A Discord application with its bot."""

    application_id: str = Field(description="Application ID, from General Information.", pattern=r"^[0-9]{1,20}$")
    public_key: str = Field(
        description="Public Key, from General Information; it proves that a request is Discord's.",
        pattern=r"^([0-9a-fA-F]{64})?$",
    )
    bot_token: SecretStr = Field(description="Token of the bot, from Bot.", min_length=1, max_length=200)
    api_url: str = Field(default="https://discord.com/api/v10", description="Base address of the API.", max_length=500)
