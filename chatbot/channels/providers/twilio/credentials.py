"""What an operator gives to connect a Twilio number."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from chatbot.channels.contract import BaseUrl, Credentials
from chatbot.core.schemas import Like

Sender = Annotated[
    str,
    Like(
        r"^((whatsapp:)?\+[0-9]{3,15}|[A-Za-z0-9 ]{1,11})?$",
        "a phone number such as +15551234567, or a name of at most 11 letters and digits",
    ),
]


class TwilioCredentials(Credentials):
    """An account and the number, or the messaging service, that speaks for the channel."""

    account_sid: Annotated[str, Like(r"^[A-Za-z0-9]{2,64}$", "2 to 64 letters and digits")] = Field(
        description="Account SID (`AC…`), on the first page of Twilio's console."
    )
    auth_token: SecretStr = Field(
        min_length=1, max_length=200, description="Auth token of the account: calls to Twilio and its signatures."
    )
    phone_number: Sender = Field(
        "",
        description="The number that sends, as `+15551234567` or `whatsapp:+15551234567`.",
    )
    messaging_service_sid: Annotated[str, Like(r"^[A-Za-z0-9]{0,64}$", "at most 64 letters and digits")] = Field(
        "",
        description="Messaging service (`MG…`) that sends instead of one number; Twilio chooses the number.",
    )
    api_url: BaseUrl = Field(
        "https://api.twilio.com",
        description="Base of Twilio's API, without a final slash.",
    )

    @model_validator(mode="after")
    def _has_sender(self) -> Self:
        if not self.phone_number and not self.messaging_service_sid:
            raise ValueError("phone_number: give a number or a messaging_service_sid")
        return self
