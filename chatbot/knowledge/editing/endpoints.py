"""`/admin/passages`: passages changed by hand."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from chatbot.identity.dependencies import Caller, Db, Queue
from chatbot.knowledge.editing.service import PassageEditor
from chatbot.knowledge.endpoints import MaybeTenant
from chatbot.knowledge.policy import may_write
from chatbot.knowledge.retrieval.endpoints import SharedRetriever
from chatbot.knowledge.schemas import PassageChange, PassageView

router = APIRouter(prefix="/admin/passages", tags=["knowledge"])
_PASSAGE = "passage"


async def _editor(database: Db, queue: Queue, retriever: SharedRetriever) -> PassageEditor:
    return PassageEditor(database, queue, retriever.store, retriever.embedders)


Editor = Annotated[PassageEditor, Depends(_editor)]


async def _tenant_of_passage(passage_id: UUID, editor: Editor, tenant_id: MaybeTenant = None) -> UUID | None:
    return tenant_id or await editor.tenant_of(passage_id)


PassageTenant = Annotated[UUID | None, Depends(_tenant_of_passage)]


@router.patch("/{passage_id}")
async def change_passage(
    passage_id: UUID, body: PassageChange, subject: Caller, editor: Editor, tenant_id: PassageTenant
) -> PassageView:
    """Give a passage another text; it answers with it at once, until its source is replaced or renamed."""
    changed = await editor.rewrite(may_write(subject, tenant_id, _PASSAGE), passage_id, body.text)
    return PassageView.model_validate(changed)


@router.delete("/{passage_id}", status_code=204)
async def remove_passage(passage_id: UUID, subject: Caller, editor: Editor, tenant_id: PassageTenant) -> Response:
    """Remove a passage; it stops answering at once, and comes back when its source is read anew."""
    await editor.remove(may_write(subject, tenant_id, _PASSAGE), passage_id)
    return Response(status_code=204)
