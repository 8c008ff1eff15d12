"""What an operator gives to connect a bot."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from chatbot.channels.contract import BaseUrl, Credentials

_MAX_TOKEN = 200


class TelegramCredentials(Credentials):
    """A bot of Telegram."""

    bot_token: SecretStr = Field(description="The token that @BotFather gave, like `123456:ABC-DEF`.")
    api_url: BaseUrl = Field(
        default="https://api.telegram.org",
        description="Base address of the Bot API, without a slash at its end; another one for a server of your own.",
    )
    mode: Literal["webhook", "polling"] = Field(
        default="webhook",
        description="`webhook`: the provider calls the gateway. `polling`: the bot manager asks the provider.",
    )

    @field_validator("bot_token")
    @classmethod
    def _looks_like_a_token(cls, token: SecretStr) -> SecretStr:
        number, _, secret = token.get_secret_value().partition(":")
        plain = number.isascii() and number.isdecimal() and secret.isascii()
        if not plain or not secret.replace("_", "").replace("-", "").isalnum() or len(token) > _MAX_TOKEN:
            raise ValueError(
                f"must be the bot's number, a colon and letters, digits, - or _, at most {_MAX_TOKEN} characters"
            )
        return token

    @property
    def bot_id(self) -> str:
        """The bot's own id, which its token begins with."""
        return self.bot_token.get_secret_value().partition(":")[0]


class BaleCredentials(TelegramCredentials):
    """A bot of Bale."""

    bot_token: SecretStr = Field(description="The token that Bale's @botfather gave.")
    api_url: BaseUrl = Field(
        default="https://tapi.bale.ai",
        description="Base address of the Bot API, without a slash at its end.",
    )
