"""A sign-in on its way: what the browser keeps, sealed, between leaving for the provider and coming back."""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta

import orjson
from fastapi import Request, Response

from chatbot.core import crypto
from chatbot.core.clock import utcnow
from chatbot.core.crypto import SealBroken, Vault
from chatbot.core.errors import InvalidInput
from chatbot.identity.audit.chain import PLATFORM
from chatbot.identity.oidc.errors import OidcStateLost
from chatbot.identity.sign_in.cookie import is_secure

COOKIE = "xin_oidc"
LIFETIME = timedelta(minutes=10)
_PATH = "/auth/oidc"
_BELOW_CONSOLE = re.compile(r"/console/[A-Za-z0-9_\-./?=&%~#]*")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in.

    Attributes:
        state: comes back with the answer: it was this browser that asked.
        nonce: comes back in the token: it was made for this sign-in.
        verifier: the secret of PKCE: whoever has the code alone can do nothing with it.
        next: where to go in the end.
    """

    state: str
    nonce: str
    verifier: str
    next: str
    ends: float

    @classmethod
    def to(cls, next_page: str) -> "Attempt":
        """Begin one; `next_page` must lie below the console.

        Raises:
            InvalidInput: it does not.
        """
        if not _BELOW_CONSOLE.fullmatch(next_page) or ".." in next_page:
            raise InvalidInput.field("next", "must be a path below /console/")
        return cls(
            state=crypto.random_secret(),
            nonce=crypto.random_secret(),
            verifier=crypto.random_secret(),
            next=next_page,
            ends=(utcnow() + LIFETIME).timestamp(),
        )

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier (RFC 7636, S256)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def keep(self, request: Request, response: Response, vault: Vault) -> None:
        """Put the sealed attempt into the browser's cookie; `Lax`, for the provider's page leads back here."""
        fields = [self.state, self.nonce, self.verifier, self.next, self.ends]
        sealed = vault.seal(PLATFORM, PLATFORM, orjson.dumps(fields).decode()).decode()
        response.set_cookie(
            COOKIE, sealed, max_age=int(LIFETIME.total_seconds()), path=_PATH, secure=is_secure(request),
            httponly=True, samesite="lax",
        )  # fmt: skip

    @classmethod
    def of(cls, request: Request, vault: Vault, state: str | None) -> "Attempt":
        """Return the attempt of the browser that comes back.

        Raises:
            OidcStateLost: there is none, it is over, or the answer belongs to another.
        """
        try:
            sealed = request.cookies.get(COOKIE, "").encode()
            attempt = cls(*orjson.loads(vault.open(PLATFORM, PLATFORM, sealed)))
        except (SealBroken, ValueError, TypeError):
            raise OidcStateLost("the sign-in was not begun in this browser") from None
        if attempt.ends < utcnow().timestamp() or not crypto.same(attempt.state, state or ""):
            raise OidcStateLost("the sign-in is over, or another one was begun since")
        return attempt


def forget(request: Request, response: Response) -> None:
    """Take the cookie away: an attempt ends with the first answer."""
    response.delete_cookie(COOKIE, path=_PATH, secure=is_secure(request), httponly=True, samesite="lax")
