"""Viber, by its bot API."""

from chatbot.channels.providers.viber.adapter import Viber
from chatbot.channels.providers.viber.credentials import ViberCredentials

VIBER = Viber()

__all__ = ["VIBER", "Viber", "ViberCredentials"]
