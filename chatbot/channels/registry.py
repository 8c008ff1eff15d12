"""Every provider that channels can be of, by the name of its type."""

from typing import Any

from chatbot.channels.contract import Provider

PROVIDERS: dict[str, Provider[Any]] = {}


def provider_of(channel_type: str) -> Provider[Any]:
    """Return the adapter of a channel type; a stored type is always known."""
    return PROVIDERS[channel_type]
