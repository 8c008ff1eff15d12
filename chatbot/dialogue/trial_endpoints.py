"""`/admin/policies/{tenant_id}/try`: what a visitor would be answered by a policy that is not saved yet."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request

from chatbot.dialogue.schemas import TryAnswer, TryBody
from chatbot.dialogue.service import Dialogue
from chatbot.dialogue.trial import Trial
from chatbot.identity.dependencies import Caller, Unaudited
from chatbot.identity.subject import Role

router = APIRouter(tags=["policies"])


@router.post("/admin/policies/{tenant_id}/try", response_model=TryAnswer, dependencies=[Unaudited])
async def try_policy(tenant_id: UUID, body: TryBody, caller: Caller, request: Request) -> dict[str, Any]:
    """Answer a question by the given documents, with the trace of it; nothing is stored but what models cost."""
    dialogue: Dialogue = request.app.state.dialogue
    trial = Trial(body.message, body.brand_id, body.policy, body.retrieval_config)
    tried = await dialogue.try_out(caller.reach(tenant_id, Role.TENANT_ADMIN), trial)
    return {**tried.body, "trace": tried.trace}
