"""Whether a request proves that it is the provider's, by the present secrets or rotated ones that still count."""

from typing import Any

from chatbot.channels.accounts import ConnectedChannel
from chatbot.channels.contract import Account, Refused, Request
from chatbot.channels.inbox.refusals import refusals
from chatbot.core.errors import Unauthenticated


def prove(channel: ConnectedChannel, asked: Request, now: float) -> None:
    """Verify a request; a refusal is counted and told in the log, and leaves no other trace.

    Raises:
        Unauthenticated: no secret of the channel proves it.
    """
    refused = _refusal(channel, channel.account, asked, now)
    if refused is None or any(_refusal(channel, account, asked, now) is None for account in channel.older):
        return
    refusals.note(channel.channel_type, f"refused_{refused.reason}", channel.channel_id)
    raise Unauthenticated("the request does not prove that it is the provider's")


def _refusal(channel: ConnectedChannel, account: Account[Any], asked: Request, now: float) -> Refused | None:
    try:
        channel.provider.verify(account, asked, now)
    except Refused as refused:
        return refused
    return None
