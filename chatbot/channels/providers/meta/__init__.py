"""Meta's channels: WhatsApp Cloud API, Messenger and Instagram; one webhook form, one Graph API."""

from chatbot.channels.providers.meta.messaging import INSTAGRAM, MESSENGER
from chatbot.channels.providers.meta.whatsapp import WHATSAPP

__all__ = ["INSTAGRAM", "MESSENGER", "WHATSAPP"]
