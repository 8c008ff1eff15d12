"""What an operator gives to connect a Viber bot."""

from pydantic import Field, SecretStr

from chatbot.channels.contract import BaseUrl, Credentials, OptionalAddress


class ViberCredentials(Credentials):
    """A bot and the name that it writes under."""

    auth_token: SecretStr = Field(
        min_length=1, max_length=200, description="The bot's token (Viber's admin panel): our calls and its signatures."
    )
    sender_name: str = Field(
        "Support", min_length=1, max_length=28, description="The name that customers see above our messages."
    )
    sender_avatar: OptionalAddress = Field(
        "", max_length=2000, description="Address of the picture beside it; may be empty."
    )
    api_url: BaseUrl = Field(
        "https://chatapi.viber.com",
        description="Base of Viber's API, without a final slash.",
    )
