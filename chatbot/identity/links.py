"""Links that are handed to people: a token that is good once, of which only the hash is kept.

The token stands behind the `#` of the address: browsers send that part to no server, so it is in no log.
"""

from dataclasses import dataclass

from chatbot.core import crypto
from chatbot.core.errors import NotFound
from chatbot.core.limits import Rate, RateLimits

USELESS = "the link is unknown, was used already or has expired"
_TRIES = Rate("links-address", "links tried from this address", 30, 300.0)


@dataclass(frozen=True, slots=True)
class Link:
    """A fresh link; the token is kept nowhere."""

    token: str
    url: str

    @classmethod
    def to(cls, base: str, page: str, prefix: str) -> "Link":
        """Return a link to a page of the console, its token of 256 bits behind a readable prefix."""
        token = crypto.random_secret(prefix)
        return cls(token, f"{base}/console/{page}#token={token}")

    @property
    def hash(self) -> str:
        """What is stored of it."""
        return crypto.hash_secret(self.token)


class LinkTries:
    """Counts links that lead nowhere."""

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits

    async def take(self, client_address: str) -> None:
        """Count a try; raises `TooManyRequests`."""
        await self._limits.take((_TRIES, client_address))

    async def right(self, client_address: str) -> None:
        """Take a try back that was none."""
        await self._limits.give_back((_TRIES, client_address))


def useless() -> NotFound:
    """The one answer for every token that does not count."""
    return NotFound(USELESS)
