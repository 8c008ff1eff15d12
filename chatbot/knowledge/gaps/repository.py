"""The rows of gaps and of their groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chatbot.db.models import GapGroup, KnowledgeGap
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession, fetch

_EXAMPLES_FROM = 20

# An answered question that is asked again without evidence is open again, unless its answer is still being read.
_GROUP = """
INSERT INTO gap_groups AS g (tenant_id, id, brand_id, group_key, question, languages, evidence, asked,
                             first_asked_at, last_asked_at)
VALUES (%(tenant_id)s, %(group_id)s, %(brand_id)s, %(group_key)s, %(question)s, %(languages)s::text[], %(evidence)s, 1,
        coalesce(CAST(%(asked_at)s AS timestamptz), now()), coalesce(CAST(%(asked_at)s AS timestamptz), now()))
ON CONFLICT (tenant_id, brand_id, group_key) DO UPDATE SET
    asked = g.asked + 1,
    question = CASE WHEN excluded.first_asked_at < g.first_asked_at THEN excluded.question ELSE g.question END,
    languages = CASE WHEN excluded.languages <@ g.languages THEN g.languages
                     ELSE g.languages || excluded.languages END,
    evidence = greatest(g.evidence, excluded.evidence),
    first_asked_at = least(g.first_asked_at, excluded.first_asked_at),
    last_asked_at = greatest(g.last_asked_at, excluded.last_asked_at),
    status = CASE WHEN g.status = 'answered' AND excluded.last_asked_at > g.settled_at AND NOT EXISTS (
        SELECT FROM knowledge_sources s
        WHERE s.tenant_id = g.tenant_id AND s.id = g.source_id AND s.status IN ('pending', 'processing')
    ) THEN 'open' ELSE g.status END
RETURNING id
"""

_NOTE = f"""
WITH grouped AS ({_GROUP})
INSERT INTO knowledge_gaps (tenant_id, id, brand_id, group_id, conversation_id, message_id, question, language,
                            evidence)
SELECT %(tenant_id)s, %(gap_id)s, %(brand_id)s, id, %(conversation_id)s, %(message_id)s, %(question)s, %(language)s,
       %(evidence)s
FROM grouped
"""  # noqa: S608 - constants only

_ADOPT = f"""
WITH grouped AS ({_GROUP})
UPDATE knowledge_gaps SET group_id = grouped.id FROM grouped
WHERE knowledge_gaps.tenant_id = %(tenant_id)s AND knowledge_gaps.id = %(gap_id)s
"""  # noqa: S608 - constants only

_ASKED = """
SELECT w.id, g.question, g.conversation_id FROM unnest(%(ids)s::uuid[]) AS w(id), LATERAL (
    SELECT question, conversation_id FROM knowledge_gaps
    WHERE tenant_id = %(tenant_id)s AND group_id = w.id ORDER BY created_at DESC LIMIT %(most)s
) g
"""


@dataclass(frozen=True, slots=True)
class Gap:
    """One question for which no evidence was found; `asked_at` None is now."""

    id: UUID
    brand_id: UUID
    question: str
    language: str
    evidence: float
    conversation_id: UUID | None = None
    message_id: UUID | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GapFilter:
    """Which groups are listed."""

    status: str
    brand_id: UUID | None = None


async def note(session: TenantSession, gap: Gap, *, group_id: UUID, group_key: str) -> None:
    """Store a gap in the group of its key; `group_id` is the id of a group that is not there yet."""
    await fetch(session, _NOTE, _values(session, gap, group_id, group_key))


async def adopt(session: TenantSession, gap: Gap, *, group_id: UUID, group_key: str) -> None:
    """Put a stored gap into the group of its key, as `note` does."""
    await fetch(session, _ADOPT, _values(session, gap, group_id, group_key))


async def take_ungrouped(session: TenantSession, limit: int) -> list[Gap]:
    """Hold gaps that no group has yet and that nobody else holds."""
    rows = await session.scalars(
        select(KnowledgeGap)
        .where(KnowledgeGap.tenant_id == session.tenant_id, KnowledgeGap.group_id.is_(None))
        .order_by(KnowledgeGap.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [
        Gap(row.id, row.brand_id, row.question, row.language or "en", row.evidence, asked_at=row.created_at)
        for row in rows
    ]


async def tenants_with_ungrouped(session: PlatformSession) -> list[UUID]:
    """Return the tenants that have gaps without a group."""
    query = select(KnowledgeGap.tenant_id).where(KnowledgeGap.group_id.is_(None)).distinct()
    return list(await session.scalars(query))


async def tenant_of_group(session: PlatformSession, group_id: UUID) -> UUID | None:
    """Return whose group it is."""
    return await session.scalar(select(GapGroup.tenant_id).where(GapGroup.id == group_id))


async def find_group(session: TenantReader, group_id: UUID) -> GapGroup | None:
    """Read a group."""
    return await session.scalar(select(GapGroup).where(GapGroup.id == group_id))


async def lock_group(session: TenantSession, group_id: UUID) -> GapGroup | None:
    """Read a group and hold it."""
    return await session.scalar(select(GapGroup).where(GapGroup.id == group_id).with_for_update())


async def page_of_groups(
    session: TenantReader, wanted: GapFilter, *, after: tuple[int, UUID] | None, limit: int
) -> Sequence[GapGroup]:
    """Read `limit + 1` groups, those asked most first, from an index in that order.

    Args:
        after: how often the last group of the page before was asked, and its id.
    """
    query = select(GapGroup).where(GapGroup.tenant_id == session.tenant_id, GapGroup.status == wanted.status)
    if wanted.brand_id:
        query = query.where(GapGroup.brand_id == wanted.brand_id)
    if after:
        asked, group_id = after
        query = query.where(
            (GapGroup.asked <= asked) & ((GapGroup.asked < asked) | (GapGroup.id < group_id)),
        )
    ordered = query.order_by(GapGroup.asked.desc(), GapGroup.id.desc()).limit(limit + 1)
    return (await session.scalars(ordered)).all()


async def newest_asked(session: TenantReader, group_ids: Sequence[UUID]) -> list[tuple[UUID, str, UUID | None]]:
    """Return the newest questions of each group as `(group, question, conversation)`, the newest first."""
    values = {"ids": list(group_ids), "tenant_id": session.tenant_id, "most": _EXAMPLES_FROM}
    return [(row[0], row[1], row[2]) for row in await fetch(session, _ASKED, values)]


def _values(session: TenantSession, gap: Gap, group_id: UUID, group_key: str) -> dict[str, Any]:
    return {
        "tenant_id": session.tenant_id,
        "group_id": group_id,
        "group_key": group_key,
        "gap_id": gap.id,
        "brand_id": gap.brand_id,
        "question": gap.question,
        "language": gap.language,
        "languages": [gap.language],
        "evidence": gap.evidence,
        "conversation_id": gap.conversation_id,
        "message_id": gap.message_id,
        "asked_at": gap.asked_at,
    }
