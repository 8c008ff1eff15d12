"""Which passages may be changed: those that answer."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from chatbot.db.models import KnowledgeSource, Passage, Tenant
from chatbot.db.sessions import PlatformSession, TenantReader


class LivePassage(NamedTuple):
    """A passage of its source's live version."""

    passage: Passage
    source: KnowledgeSource


async def tenant_of_passage(session: PlatformSession, passage_id: UUID) -> UUID | None:
    """Return whose passage it is: one look at the primary key a tenant, for an index of ids would slow every write."""
    query = select(Passage.tenant_id).join(Tenant, Tenant.id == Passage.tenant_id).where(Passage.id == passage_id)
    return await session.scalar(query)


async def find_live(session: TenantReader, passage_id: UUID) -> LivePassage | None:
    """Read a passage with its source, if it answers."""
    of_source = (KnowledgeSource.tenant_id == Passage.tenant_id) & (KnowledgeSource.id == Passage.source_id)
    query = (
        select(Passage, KnowledgeSource)
        .join(KnowledgeSource, of_source)
        .where(
            Passage.tenant_id == session.tenant_id,
            Passage.id == passage_id,
            Passage.version == KnowledgeSource.live_version,
        )
    )
    row = (await session.execute(query)).one_or_none()
    return LivePassage(row[0], row[1]) if row else None
