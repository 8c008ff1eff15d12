"""Errors of channels that reach a client."""

from typing import ClassVar

from chatbot.core.errors import InvalidInput, Unavailable, XinError


class ProviderRefused(XinError):
    """The provider said no, in its own words; the operator must change something there or in the credentials."""

    status: ClassVar[int] = 502
    code: ClassVar[str] = "provider_refused"
    title: ClassVar[str] = "The provider refused"


class ChannelBroken(Unavailable):
    """A channel's secrets cannot be opened: their key is gone, or they are of another release."""

    code: ClassVar[str] = "channel_broken"
    title: ClassVar[str] = "The channel's secrets cannot be opened; give it its credentials and a new secret"


class SecretNeeded(InvalidInput):
    """Another address, and a secret as it is shown: whoever does not know it could have it sent to themselves."""

    code: ClassVar[str] = "secret_needed"
    title: ClassVar[str] = "Secrets must be given anew for another address"


class LeaseLost(XinError):
    """Another manager listens to the channel by now; nothing was stored."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "lease_lost"
    title: ClassVar[str] = "Another bot manager listens to this channel"
