"""Gaps: noted by turns, listed in groups, answered, dismissed, opened again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import procrastinate

from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.db.models import GapGroup
from chatbot.db.sessions import Database, TenantReader, TenantSession
from chatbot.jobs.app import enqueue
from chatbot.jobs.stored_files import UPKEEP_QUEUE
from chatbot.knowledge import queueing
from chatbot.knowledge.content import content_of_pairs
from chatbot.knowledge.errors import GapNotFound
from chatbot.knowledge.gaps import repository
from chatbot.knowledge.gaps.grouping import group_key
from chatbot.knowledge.gaps.repository import Gap, GapFilter
from chatbot.knowledge.gaps.schemas import GapAnswer
from chatbot.knowledge.schemas import SourceLabels
from chatbot.knowledge.service import KnowledgeService, Taken

_SHOWN = 5
_BATCH = 200
_LONGEST = 2_000
"""Characters of a question that become knowledge: as many as the knowledge API takes."""


async def note_gap(session: TenantSession, gap: Gap) -> None:
    """Store a question for which no evidence was found, in the group of those that say the same."""
    await repository.note(session, gap, group_id=new_id(), group_key=group_key(gap.question, gap.language))


@dataclass(frozen=True, slots=True)
class ShownGap:
    """A group with up to five of its wordings and conversations, the newest first."""

    group: GapGroup
    examples: list[str]
    conversation_ids: list[UUID]


@dataclass(frozen=True, slots=True)
class Gaps:
    """A tenant's gaps; the caller has been authorised for the tenant."""

    knowledge: KnowledgeService

    async def tenant_of(self, group_id: UUID) -> UUID | None:
        """Return whose gap it is, for callers that may reach several tenants; None: nobody's."""
        async with self.knowledge.database.platform() as session:
            return await repository.tenant_of_group(session, group_id)

    async def page(
        self, tenant_id: UUID, wanted: GapFilter, *, after: tuple[int, UUID] | None, limit: int
    ) -> tuple[list[ShownGap], tuple[int, UUID] | None]:
        """Return a page of gaps, those asked most first, and where the next one begins."""
        async with self.knowledge.database.tenant_reader(tenant_id) as session:
            groups = await repository.page_of_groups(session, wanted, after=after, limit=limit)
            shown = await _shown(session, groups[:limit])
        last = shown[-1].group if len(groups) > limit else None
        return shown, (last.asked, last.id) if last else None

    async def answer(self, tenant_id: UUID, group_id: UUID, wanted: GapAnswer, by: str) -> tuple[ShownGap, Taken]:
        """Make an answer a source of the gap's brand and mark the gap; answering again replaces the source's content.

        The source is registered first: should marking fail, the same call again finds it by its external id.

        Raises:
            GapNotFound: none of the tenant's.
        """
        async with self.knowledge.database.tenant_reader(tenant_id) as session:
            group = _there(await repository.find_group(session, group_id))
        question = wanted.question or group.question[:_LONGEST]
        labels = SourceLabels(title=" ".join(question.split())[:500], external_id=f"gap:{group_id}")
        limit = self.knowledge.settings.max_upload_bytes
        content = content_of_pairs([(question, wanted.answer)], limit=limit)
        taken = await self.knowledge.take_content(tenant_id, group.brand_id, labels, content)
        return await self._settle(tenant_id, group_id, "answered", by, source_id=taken.source.id), taken

    async def dismiss(self, tenant_id: UUID, group_id: UUID, by: str) -> ShownGap:
        """Take a gap from the list of open ones for good, however often it is asked. Raises `GapNotFound`."""
        return await self._settle(tenant_id, group_id, "dismissed", by)

    async def reopen(self, tenant_id: UUID, group_id: UUID) -> ShownGap:
        """Put a gap back among the open ones; what it was answered with stays known. Raises `GapNotFound`."""
        return await self._settle(tenant_id, group_id, "open", None)

    async def _settle(
        self,
        tenant_id: UUID,
        group_id: UUID,
        status: Literal["open", "answered", "dismissed"],
        by: str | None,
        *,
        source_id: UUID | None = None,
    ) -> ShownGap:
        async with self.knowledge.database.tenant(tenant_id) as session:
            group = _there(await repository.lock_group(session, group_id))
            group.status, group.settled_by = status, by[:200] if by else None
            group.settled_at = utcnow() if by else None
            group.source_id = source_id or group.source_id
            await session.flush()
            return (await _shown(session, [group]))[0]


@dataclass(frozen=True, slots=True)
class Grouping:
    """Finds groups for gaps that were stored before there were any."""

    database: Database
    queue: procrastinate.App

    async def begin(self) -> int:
        """Queue the work for each tenant that has such gaps; return for how many."""
        async with self.database.platform() as session:
            tenants = await repository.tenants_with_ungrouped(session)
            for tenant_id in tenants:
                await enqueue(
                    self.queue,
                    session,
                    queueing.GROUP_GAPS_TASK,
                    queue=UPKEEP_QUEUE,
                    arguments={"tenant_id": str(tenant_id)},
                    queueing_lock=f"group_gaps:{tenant_id}",
                )
        return len(tenants)

    async def run(self, tenant_id: UUID) -> None:
        """Group all of a tenant's gaps that have no group, batch by batch."""
        while await self._batch(tenant_id):
            pass

    async def _batch(self, tenant_id: UUID) -> int:
        async with self.database.tenant(tenant_id) as session:
            gaps = await repository.take_ungrouped(session, _BATCH)
            for gap in gaps:
                key = group_key(gap.question, gap.language)
                await repository.adopt(session, gap, group_id=new_id(), group_key=key)
        return len(gaps)


async def _shown(session: TenantReader, groups: Sequence[GapGroup]) -> list[ShownGap]:
    asked = await repository.newest_asked(session, [group.id for group in groups])
    return [_with_examples(group, [(said, where) for of, said, where in asked if of == group.id]) for group in groups]


def _with_examples(group: GapGroup, asked: Sequence[tuple[str, UUID | None]]) -> ShownGap:
    wordings = dict.fromkeys(said for said, _ in asked)
    places = dict.fromkeys(where for _, where in asked if where)
    return ShownGap(group, list(wordings)[:_SHOWN], list(places)[:_SHOWN])


def _there(group: GapGroup | None) -> GapGroup:
    if group is None:
        raise GapNotFound
    return group
