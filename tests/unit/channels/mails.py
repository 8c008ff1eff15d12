"""Mails and an account, as the tests of e-mail need them."""

from email.message import EmailMessage
from typing import Any

from chatbot.channels.contract import Account
from chatbot.channels.events import InboundEvent, Message
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.channels.providers.email.mime import read_mail
from chatbot.channels.providers.email.parse import event_of
from tests.unit.channels.peer import account

OURS = "support@acme.test"
THREAD = "abcdefghijklmnopqrstuvwxyz"


def here(**given: Any) -> Account[EmailCredentials]:
    values = {"address": OURS, "smtp_host": "smtp.acme.test", "inbound": "sendgrid", **given}
    return account(EmailCredentials.model_validate(values), "channel-secret")


def mail(text: str = "Where is my order?", html: str = "", **headers: str) -> EmailMessage:
    """A mail of Ann's; a header named with underscores is set or, when empty, taken away."""
    message = EmailMessage()
    given = {
        "From": "Ann <Ann@customer.test>", "To": OURS, "Subject": "Order 7", "Message-ID": "<m1@customer.test>",
        "Date": "Tue, 20 Jan 2026 10:00:00 +0100",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }  # fmt: skip
    for name, value in given.items():
        if value:
            message[name] = value
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def read(message: EmailMessage | bytes, **given: Any) -> InboundEvent:
    return event_of(here(**given), read_mail(message if isinstance(message, bytes) else message.as_bytes()))


def message_of(event: InboundEvent) -> Message:
    assert isinstance(event.content, Message)
    return event.content
