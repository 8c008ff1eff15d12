"""The visitor's side of handoff over HTTP: own conversations, asking for a person, closing."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from chatbot.core.paging import Cursor, Limit, before_id
from chatbot.core.schemas import Page
from chatbot.dialogue.callers import only_owner
from chatbot.dialogue.guard import ChatLimits
from chatbot.dialogue.handoff.schemas import AskForPerson, OwnConversation, Standing
from chatbot.dialogue.handoff.visitors import Visitors
from chatbot.identity.dependencies import ChatCaller

router = APIRouter(prefix="/v1/conversations", tags=["chat"])


async def _visitors(request: Request) -> Visitors:
    visitors: Visitors = request.app.state.visitors
    return visitors


TheVisitors = Annotated[Visitors, Depends(_visitors)]


@router.get("")
async def list_own(
    subject: ChatCaller, visitors: TheVisitors, limit: Limit = 50, cursor: Cursor = None
) -> Page[OwnConversation]:
    """The caller's own conversations, newest first."""
    assert subject.tenant_id
    rows = await visitors.own(
        subject.tenant_id, subject.name, subject.brand_id, before=before_id(cursor), limit=limit + 1
    )
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    return Page(items=[OwnConversation.model_validate(row) for row in rows[:limit]], next_cursor=following)


@router.post("/{conversation_id}/handoff")
async def ask_for_person(
    conversation_id: UUID,
    subject: ChatCaller,
    visitors: TheVisitors,
    request: Request,
    body: AskForPerson | None = None,
) -> Standing:
    """Ask for a person: the conversation waits in the queue, and the bot is silent. Asked again it changes nothing."""
    assert subject.tenant_id
    limits: ChatLimits = request.app.state.chat_limits
    await limits.take_for(subject, request.client.host if request.client else None)
    return await visitors.request(subject.tenant_id, conversation_id, only_owner(subject), body or AskForPerson())


@router.post("/{conversation_id}/close")
async def close(conversation_id: UUID, subject: ChatCaller, visitors: TheVisitors) -> Standing:
    """Close a conversation."""
    assert subject.tenant_id
    return await visitors.close(subject.tenant_id, conversation_id, only_owner(subject))
