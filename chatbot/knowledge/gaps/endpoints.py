"""`/admin/knowledge_gaps`: what visitors asked in vain, and one call that makes an answer of it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from chatbot.core.paging import Cursor, Limit, before_id, number_of
from chatbot.core.schemas import Page
from chatbot.identity.dependencies import Caller
from chatbot.knowledge.endpoints import Knowledge, MaybeTenant, Tenant
from chatbot.knowledge.gaps.repository import GapFilter
from chatbot.knowledge.gaps.schemas import GapAnswer, GapAnswered, GapStatus, GapView
from chatbot.knowledge.gaps.service import Gaps, ShownGap
from chatbot.knowledge.policy import may_read, may_write

router = APIRouter(prefix="/admin/knowledge_gaps", tags=["knowledge gaps"])
_GAP = "gap"


async def _gaps(knowledge: Knowledge) -> Gaps:
    return Gaps(knowledge)


GapService = Annotated[Gaps, Depends(_gaps)]


async def _tenant_of_gap(gap_id: UUID, gaps: GapService, tenant_id: MaybeTenant = None) -> UUID | None:
    return tenant_id or await gaps.tenant_of(gap_id)


GapTenant = Annotated[UUID | None, Depends(_tenant_of_gap)]


@router.get("")
async def list_gaps(
    subject: Caller,
    gaps: GapService,
    tenant_id: Tenant,
    brand_id: UUID | None = None,
    status: GapStatus = "open",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[GapView]:
    """List questions that were not answered, those asked most often first; near-identical ones are one."""
    wanted = GapFilter(status, brand_id)
    shown, following = await gaps.page(may_read(subject, tenant_id), wanted, after=_place(cursor), limit=limit)
    next_cursor = f"{following[0]}.{following[1]}" if following else None
    return Page(items=[_view(gap) for gap in shown], next_cursor=next_cursor)


@router.post("/{gap_id}/answer", status_code=202)
async def answer_gap(
    gap_id: UUID, body: GapAnswer, subject: Caller, gaps: GapService, tenant_id: GapTenant
) -> GapAnswered:
    """Make a question-answer source of it; the question is answered as soon as that has been read."""
    gap, taken = await gaps.answer(may_write(subject, tenant_id, _GAP), gap_id, body, subject.name)
    return GapAnswered(
        gap=_view(gap), source_id=taken.source.id, job_id=taken.job.id, source_status=taken.source.status
    )


@router.post("/{gap_id}/dismiss")
async def dismiss_gap(gap_id: UUID, subject: Caller, gaps: GapService, tenant_id: GapTenant) -> GapView:
    """Say that it needs no answer; it stays dismissed however often it is asked."""
    return _view(await gaps.dismiss(may_write(subject, tenant_id, _GAP), gap_id, subject.name))


@router.post("/{gap_id}/reopen")
async def reopen_gap(gap_id: UUID, subject: Caller, gaps: GapService, tenant_id: GapTenant) -> GapView:
    """Put it back among the open ones."""
    return _view(await gaps.reopen(may_write(subject, tenant_id, _GAP), gap_id))


def _place(cursor: str | None) -> tuple[int, UUID] | None:
    if cursor is None:
        return None
    asked, _, group_id = cursor.partition(".")
    return number_of(asked) or 0, before_id(group_id) or UUID(int=0)


def _view(gap: ShownGap) -> GapView:
    group = gap.group
    return GapView(
        id=group.id, tenant_id=group.tenant_id, brand_id=group.brand_id, question=group.question, count=group.asked,
        languages=group.languages, evidence=group.evidence, examples=gap.examples,
        conversation_ids=gap.conversation_ids, first_asked_at=group.first_asked_at, last_asked_at=group.last_asked_at,
        status=group.status, source_id=group.source_id, settled_at=group.settled_at, settled_by=group.settled_by,
    )  # fmt: skip
