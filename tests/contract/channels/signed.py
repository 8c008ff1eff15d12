"""Whether an adapter takes a request as its provider's."""

from typing import Any

from chatbot.channels.contract import Account, Provider, Refused, Request


def accepted(provider: Provider[Any], here: Account[Any], request: Request, now: float = 0) -> bool:
    """Return whether `verify` lets a request through."""
    try:
        provider.verify(here, request, now)
    except Refused:
        return False
    return True
