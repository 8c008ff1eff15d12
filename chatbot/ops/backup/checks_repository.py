"""What a rehearsal asks of a restored database, and how it is kept from doing anybody's work."""

from typing import NamedTuple
from uuid import UUID

from chatbot.db.sessions import PlatformSession, fetch

_PASSAGES = """
SELECT s.tenant_id, s.brand_id, s.id, p.text
FROM knowledge_sources s
JOIN LATERAL (SELECT text FROM passages p WHERE p.tenant_id = s.tenant_id AND p.source_id = s.id
              AND p.version = s.live_version ORDER BY length(text) DESC LIMIT 1) p ON true
WHERE s.status = 'ready' AND s.visibility = 'public'
ORDER BY s.id DESC LIMIT %s
"""
_SILENCE = "DELETE FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"


class KnownPassage(NamedTuple):
    """A passage that the restored knowledge must be able to answer from."""

    tenant_id: UUID
    brand_id: UUID
    source_id: UUID
    text: str


async def known_passages(session: PlatformSession, limit: int) -> list[KnownPassage]:
    """Return a passage of each of the newest public sources."""
    return [KnownPassage(*row) for row in await fetch(session, _PASSAGES, (limit,))]


async def forget_waiting_jobs(session: PlatformSession) -> None:
    """Take out of the queue what the platform itself is going to do."""
    await fetch(session, _SILENCE)
