"""The web chat: the widget, and servers that sign what their visitors write."""

from chatbot.channels.providers.web.adapter import Web
from chatbot.channels.providers.web.credentials import WebCredentials

WEB = Web()

__all__ = ["WEB", "Web", "WebCredentials"]
