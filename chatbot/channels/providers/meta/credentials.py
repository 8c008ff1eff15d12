"""What an operator gives to connect a channel of Meta."""

from pydantic import Field, SecretStr

from chatbot.channels.contract import BaseUrl, Credentials, OptionalPlainId, PlainId


class MetaCredentials(Credentials):
    """What every channel of Meta needs."""

    app_secret: SecretStr = Field(
        min_length=1, max_length=200, description="App secret (App settings › Basic); Meta signs every event with it."
    )
    access_token: SecretStr = Field(
        min_length=1, max_length=1000, description="A long-lived token that may send for the number, page or account."
    )
    verify_token: SecretStr | None = Field(
        None, min_length=1, max_length=200,
        description="The verify token entered at Meta, if it is to be your own; the channel's secret otherwise.",
    )  # fmt: skip


class WhatsAppCredentials(MetaCredentials):
    """A number of the WhatsApp Cloud API."""

    phone_number_id: PlainId = Field(
        description="Id of the sending number (WhatsApp › API setup), not the number itself."
    )
    waba_id: OptionalPlainId = Field(
        "",
        description="Id of the WhatsApp Business account; with it the app is subscribed for you, and messages of "
        "other accounts are set aside.",
    )  # fmt: skip
    api_url: BaseUrl = Field(
        "https://graph.facebook.com",
        description="Base of the Graph API, without version and final slash.",
    )


class MessengerCredentials(MetaCredentials):
    """A Facebook page."""

    page_id: OptionalPlainId = Field(
        "", description="Id of the page; with it, events of other pages of the app are set aside."
    )
    app_id: OptionalPlainId = Field(
        "",
        description="Id of the app; with it, the app's webhook is entered and checked for you.",
    )
    human_agent: bool = Field(
        default=False,
        description="Whether the app has the Human Agent permission: agents may then write for 7 days, not 24 hours.",
    )
    api_url: BaseUrl = Field(
        "https://graph.facebook.com",
        description="Base of the Graph API, without version and final slash.",
    )


class InstagramCredentials(MetaCredentials):
    """An Instagram professional account."""

    account_id: OptionalPlainId = Field(
        "",
        description="Id of the professional account; with it, events of other accounts of the app are set aside.",
    )  # fmt: skip
    human_agent: bool = Field(
        default=False,
        description="Whether the app has the Human Agent permission: agents may then write for 7 days, not 24 hours.",
    )
    api_url: BaseUrl = Field(
        "https://graph.instagram.com",
        description="Base of the Instagram API (with Instagram login), without version and final slash.",
    )
