"""Which web pages may use a tenant's chat: the one rule for sessions, requests and sockets."""

from urllib.parse import urlsplit
from uuid import UUID

from chatbot.core.cache import TimedCache
from chatbot.core.errors import Forbidden
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database
from chatbot.identity.access import repository

FRESH_SECONDS = 10.0
"""How long a change of a channel's list may take to be seen in another process."""

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class OriginNotAllowed(Forbidden):
    """A page of an origin that the tenant's web channel does not name."""

    code = "origin_not_allowed"
    title = "Pages of this origin may not use the chat"


class Origins:
    """The pages of one platform's tenants.

    Allowed are the origins of the brand's web channels, those of `ALLOWED_ORIGINS`, the platform's own pages, and on a
    development platform every page of this machine.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._everywhere = frozenset(settings.allowed_origins)
        self._development = settings.environment == "development"
        self._lists: TimedCache[tuple[UUID, UUID | None], frozenset[str]] = TimedCache(FRESH_SECONDS)

    async def check(self, origin: str, *, host: str, tenant_id: UUID, brand_id: UUID | None) -> None:
        """Let a page of this origin use the chat of a brand (None: of any brand of the tenant).

        Args:
            host: the request's `Host`: a page from there is the platform's own.

        Raises:
            OriginNotAllowed: it may not; the words say where to add it.
        """
        if self._is_ours(origin, host) or origin in await self._list(tenant_id, brand_id):
            return
        raise OriginNotAllowed(
            f"Origin: {origin[:200]} is not among the allowed origins of the web channel; add it there "
            "(in the console under Channels, or as `allowed_origins` of the channel's bot)"
        )

    def forget(self) -> None:
        """Drop what is remembered: after a change in this process, so that it holds here at once."""
        self._lists.clear()

    def _is_ours(self, origin: str, host: str) -> bool:
        if origin in self._everywhere or "*" in self._everywhere:
            return True
        parts = urlsplit(origin)
        return (bool(host) and parts.netloc == host) or (self._development and parts.hostname in _LOOPBACK)

    async def _list(self, tenant_id: UUID, brand_id: UUID | None) -> frozenset[str]:
        known = self._lists.get((tenant_id, brand_id))
        if known is None:
            async with self._database.tenant_reader(tenant_id) as session:
                known = frozenset(await repository.web_origins(session, brand_id))
            self._lists.put((tenant_id, brand_id), known)
        return known
