"""Whether a request proves that it is the provider's, by the present secrets or rotated ones that still count."""

from typing import Any

from chatbot.channels.accounts import ConnectedChannel
from chatbot.channels.contract import Account, Refused, Request
from chatbot.core.errors import Unauthenticated
from chatbot.core.metrics import CHANNEL_REQUESTS


def prove(channel: ConnectedChannel, asked: Request, now: float) -> None:
    """Verify a request; a refusal is counted and leaves no other trace.

    Raises:
        Unauthenticated: no secret of the channel proves it.
    """
    refused = _refusal(channel, channel.account, asked, now)
    if refused is None or any(_refusal(channel, account, asked, now) is None for account in channel.older):
        return
    CHANNEL_REQUESTS.labels(channel.channel_type, f"refused_{refused.reason}").inc()
    raise Unauthenticated("the request does not prove that it is the provider's")


def _refusal(channel: ConnectedChannel, account: Account[Any], asked: Request, now: float) -> Refused | None:
    try:
        channel.provider.verify(account, asked, now)
    except Refused as refused:
        return refused
    return None
