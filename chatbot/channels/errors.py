"""Errors of channels that reach a client."""

from typing import ClassVar

from chatbot.core.errors import XinError


class ProviderRefused(XinError):
    """The provider said no, in its own words; the operator must change something there or in the credentials."""

    status: ClassVar[int] = 502
    code: ClassVar[str] = "provider_refused"
    title: ClassVar[str] = "The provider refused"
