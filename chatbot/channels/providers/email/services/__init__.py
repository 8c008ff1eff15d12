"""Mail services that post what comes in: for each, how it proves itself and what it says."""

from collections.abc import Mapping

from chatbot.channels.providers.email.services.base import Service, SignsNoBody
from chatbot.channels.providers.email.services.mailgun import Mailgun
from chatbot.channels.providers.email.services.postmark import Postmark
from chatbot.channels.providers.email.services.resend import Resend
from chatbot.channels.providers.email.services.sendgrid import SendGrid

SERVICES: Mapping[str, Service] = {
    "mailgun": Mailgun(), "postmark": Postmark(), "resend": Resend(), "sendgrid": SendGrid()
}  # fmt: skip

__all__ = ["SERVICES", "Service", "SignsNoBody"]
