"""`/v1/conversations/{id}/csat`: what the visitor thought of it."""

from uuid import UUID

from fastapi import APIRouter

from chatbot.core.clock import utcnow
from chatbot.core.errors import Forbidden
from chatbot.dialogue.callers import owner_of
from chatbot.helpdesk.csat import service
from chatbot.helpdesk.csat.schemas import Rate, Rating
from chatbot.identity.dependencies import ChatCaller, Db
from chatbot.identity.subject import Role

router = APIRouter(tags=["csat"])


@router.post("/v1/conversations/{conversation_id}/csat", status_code=201)
async def rate_conversation(conversation_id: UUID, body: Rate, subject: ChatCaller, db: Db) -> Rating:
    """Rate a closed conversation; within 24 hours a second rating takes the first one's place. Visitors only: 403."""
    assert subject.tenant_id
    async with db.tenant(subject.tenant_id) as session:
        if subject.role is not Role.VISITOR:
            await service.require(session, conversation_id)
            raise Forbidden("only the visitor rates a conversation")
        return Rating.model_validate(await service.rate(session, conversation_id, owner_of(subject), body, utcnow()))
