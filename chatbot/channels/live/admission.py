"""Who may connect: origins, and how many sockets an address and a tenant hold open in this process."""

from collections import Counter
from collections.abc import Hashable
from urllib.parse import urlsplit

from chatbot.channels.live.errors import OriginRefused
from chatbot.core.errors import TooManyRequests
from chatbot.core.settings import Settings

_RETRY_SECONDS = 10


class OpenSockets:
    """Counts open sockets by key, up to a limit."""

    def __init__(self, limit: int, what: str) -> None:
        self._limit = limit
        self._what = what
        self._open: Counter[Hashable] = Counter()

    def take(self, key: Hashable) -> None:
        """Count one more.

        Raises:
            TooManyRequests: so many are open already.
        """
        if self._open[key] >= self._limit:
            raise TooManyRequests(f"{self._what}: at most {self._limit} at once", retry_after=_RETRY_SECONDS)
        self._open[key] += 1

    def give_back(self, key: Hashable) -> None:
        """Count one less."""
        self._open[key] -= 1
        if self._open[key] <= 0:
            del self._open[key]


class Origins:
    """Which pages may connect: those of the token's own origin, of `ALLOWED_ORIGINS`, and of the gateway itself."""

    def __init__(self, settings: Settings) -> None:
        self._allowed = frozenset(settings.allowed_origins)

    def check(self, origin: str | None, *, host: str, tokens_own: str | None) -> None:
        """Let an origin pass. Programs send none; that a token's own origin is the page's was checked with the token.

        Raises:
            OriginRefused: the page is of another origin.
        """
        if origin is None or origin == tokens_own or origin in self._allowed or "*" in self._allowed:
            return
        if not host or urlsplit(origin).netloc != host:
            raise OriginRefused("origin: is not in ALLOWED_ORIGINS, and the token names another or none")
