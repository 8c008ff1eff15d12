"""Every provider that channels can be of, by the name of its type."""

from typing import Any

from chatbot.channels.contract import Provider
from chatbot.channels.providers.discord import DISCORD
from chatbot.channels.providers.email import EMAIL
from chatbot.channels.providers.line import LINE
from chatbot.channels.providers.meta import INSTAGRAM, MESSENGER, WHATSAPP
from chatbot.channels.providers.slack import SLACK
from chatbot.channels.providers.telegram import BALE, TELEGRAM
from chatbot.channels.providers.twilio import SMS
from chatbot.channels.providers.viber import VIBER
from chatbot.channels.providers.web import WEB
from chatbot.channels.providers.webhook import WEBHOOK

_ALL: tuple[Provider[Any], ...] = (
    WEB, TELEGRAM, BALE, WHATSAPP, MESSENGER, INSTAGRAM, SLACK, DISCORD, SMS, LINE, VIBER, EMAIL, WEBHOOK,
)  # fmt: skip
PROVIDERS: dict[str, Provider[Any]] = {provider.channel_type: provider for provider in _ALL}
