"""Refresh tokens: `xin_rt_<session>_<secret>`. Each use gives the next one; only hashes are kept."""

import base64
import hmac
from dataclasses import dataclass
from uuid import UUID

from chatbot.core import crypto
from chatbot.core.errors import Unauthenticated
from chatbot.identity.tokens import TokenKeys

ENDED = "the session has ended; sign in again"
_PREFIX = "xin_rt_"


@dataclass(frozen=True, slots=True)
class RefreshSecret:
    """The refresh token of a session."""

    session_id: UUID
    text: str

    @classmethod
    def first(cls, session_id: UUID) -> "RefreshSecret":
        """Return the token with which a session begins."""
        return cls(session_id, crypto.random_secret(f"{_PREFIX}{session_id.hex}_"))

    @classmethod
    def parse(cls, text: str) -> "RefreshSecret":
        """Read a token that was given.

        Raises:
            Unauthenticated: it is none of ours.
        """
        head, _, _secret = text.removeprefix(_PREFIX).partition("_")
        try:
            return cls(UUID(hex=head), text)
        except ValueError:
            raise Unauthenticated(ENDED) from None

    def following(self, keys: TokenKeys) -> "RefreshSecret":
        """Return the token that takes this one's place: always the same one, and known to whoever holds our key only.

        So the two tabs of a browser that refresh at once, with one cookie, get one and the same next token.
        """
        digest = hmac.digest(keys.admin.encode(), b"refresh " + self.text.encode(), "sha256")
        secret = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return RefreshSecret(self.session_id, f"{_PREFIX}{self.session_id.hex}_{secret}")

    @property
    def hash(self) -> str:
        """What is stored of it."""
        return crypto.hash_secret(self.text)
