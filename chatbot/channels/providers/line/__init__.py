"""LINE, by its Messaging API."""

from chatbot.channels.providers.line.adapter import Line
from chatbot.channels.providers.line.credentials import LineCredentials

LINE = Line()

__all__ = ["LINE", "Line", "LineCredentials"]
