"""Telegram, and Bale, which speaks the same Bot API with less in it."""

from chatbot.channels.providers.telegram.adapter import Bale, Telegram

TELEGRAM = Telegram()
BALE = Bale()
