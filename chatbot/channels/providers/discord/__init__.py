"""Discord."""

from chatbot.channels.providers.discord.adapter import Discord

DISCORD = Discord()

__all__ = ["DISCORD"]
