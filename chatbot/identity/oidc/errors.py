"""Why a sign-in through a provider came to nothing; the code stands in the address of the sign-in page."""

from typing import ClassVar

from chatbot.identity.denied import CredentialRefused


class OidcRefused(CredentialRefused):
    """What the provider said does not hold, or the provider did not say it."""

    code: ClassVar[str] = "oidc_failed"
    title: ClassVar[str] = "The sign-in with the provider failed"


class OidcStateLost(OidcRefused):
    """The sign-in was not begun in this browser, or too long ago."""

    code: ClassVar[str] = "oidc_state"
    title: ClassVar[str] = "The sign-in was not begun here, or too long ago"


class OidcUnverified(OidcRefused):
    """The provider does not vouch for the e-mail address."""

    code: ClassVar[str] = "oidc_unverified"
    title: ClassVar[str] = "The provider has not verified the e-mail address"


class OidcUnknown(OidcRefused):
    """Nobody here has the address, and nobody has invited it."""

    code: ClassVar[str] = "oidc_unknown"
    title: ClassVar[str] = "Nobody here has this e-mail address"
