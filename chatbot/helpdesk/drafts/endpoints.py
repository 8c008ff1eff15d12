"""`POST /admin/conversations/{id}/draft`: what the bot would answer."""

from uuid import UUID

from fastapi import APIRouter, Request

from chatbot.dialogue.service import Dialogue
from chatbot.helpdesk.dependencies import TenantOf
from chatbot.helpdesk.drafts import service
from chatbot.helpdesk.drafts.schemas import DraftView
from chatbot.identity.dependencies import Db

router = APIRouter(prefix="/admin/conversations/{conversation_id}", tags=["help desk"])


@router.post("/draft")
async def draft(conversation_id: UUID, tenant_id: TenantOf, db: Db, request: Request) -> DraftView:
    """Draft an answer to the visitor's last question from the tenant's knowledge; nothing is said to the visitor."""
    dialogue: Dialogue = request.app.state.dialogue
    return await service.draft(db, dialogue, tenant_id, conversation_id)
