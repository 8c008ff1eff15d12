"""The chat API: one turn as JSON or as a stream that can be resumed, and a conversation's messages."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response

from chatbot.core.web import event_stream
from chatbot.dialogue.callers import incoming_of, may_write_for_others, only_owner
from chatbot.dialogue.guard import ChatLimits
from chatbot.dialogue.incoming import Incoming
from chatbot.dialogue.live import Place, parse_event_id
from chatbot.dialogue.schemas import (
    ChatAnswer,
    ChatBody,
    MessageList,
    SessionChatAnswer,
    SessionChatBody,
    StoredMessage,
)
from chatbot.dialogue.service import Dialogue
from chatbot.dialogue.sse import EventStream, WholeReply
from chatbot.identity.demo import DEMO_TENANT_ID
from chatbot.identity.dependencies import ChatCaller, MaybeChatCaller
from chatbot.identity.subject import Role, Subject

router = APIRouter(tags=["chat"])

LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=100)]
_REPLY = event_stream("message", "delta", "citation", "done", "error", "shutdown")
_SSE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events `message`, `delta`, `citation`, then one `done` or `error`; `shutdown`: reconnect.",
        "content": _REPLY,
    }
}
_JSON_OR_SSE: dict[int | str, dict[str, Any]] = {200: {"model": ChatAnswer, "content": _REPLY}}
_ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class _Chat:
    """What every chat call uses: the dialogue, its limits and who is connected."""

    dialogue: Dialogue
    limits: ChatLimits
    request: Request

    @property
    def address(self) -> str | None:
        """The client's IP address."""
        return self.request.client.host if self.request.client else None

    def stream(self, reply: Any, place: Place | None) -> Response:
        """A reply as server-sent events."""
        return EventStream(reply, place, self.request.app.state.draining)


async def _chat(request: Request) -> _Chat:
    return _Chat(request.app.state.dialogue, request.app.state.chat_limits, request)


Chat = Annotated[_Chat, Depends(_chat)]


@router.post("/v1/chat", responses=_JSON_OR_SSE)
async def ask(body: ChatBody, subject: ChatCaller, chat: Chat, last_event_id: LastEventId = None) -> Response:
    """Ask; the answer comes whole, or as events when `stream` is true."""
    if body.stream:
        return await ask_streaming(body, subject, chat, last_event_id)
    return WholeReply(await chat.dialogue.ask(await _incoming(body, subject, chat)), lambda done: done)


@router.post("/v1/chat/stream", responses=_SSE)
async def ask_streaming(body: ChatBody, subject: ChatCaller, chat: Chat, last_event_id: LastEventId = None) -> Response:
    """Ask; the answer comes as events. The same request with `Last-Event-ID` resumes it and asks nothing again.

    An event id of no reply of the caller's own is a 404, unless `client_message_id` says which message this is.
    """
    message_id, place = parse_event_id(last_event_id) if last_event_id else (None, Place())
    incoming = await _incoming(body, subject, chat)
    reply = None
    if message_id and body.client_message_id is None:
        reply = await chat.dialogue.resume(incoming, message_id)
    reply = reply or await chat.dialogue.ask(incoming)
    if message_id not in (None, reply.message_id):
        place = Place()  # the id is of another reply's stream: this one begins at its start
    return chat.stream(reply, place)


@router.get("/v1/chat/stream/{message_id}", responses=_SSE)
async def resume(message_id: UUID, subject: ChatCaller, chat: Chat, last_event_id: LastEventId = None) -> Response:
    """Follow a reply that is being made, or that is finished, from `Last-Event-ID` on."""
    seen, place = parse_event_id(last_event_id) if last_event_id else (message_id, Place())
    assert subject.tenant_id
    reply = await chat.dialogue.follow(subject.tenant_id, message_id, only_owner(subject))
    return chat.stream(reply, place if seen == message_id else Place())


@router.get("/v1/conversations/{conversation_id}/messages")
async def messages(
    conversation_id: UUID,
    subject: ChatCaller,
    chat: Chat,
    after_seq: Annotated[int, Query(ge=0, le=2**62, description="Only messages with a greater number.")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> MessageList:
    """List a conversation's messages in order, to catch up after a break."""
    assert subject.tenant_id
    rows = await chat.dialogue.messages(
        subject.tenant_id, conversation_id, only_owner(subject), after_seq=after_seq, limit=limit + 1
    )
    more = str(rows[limit - 1].seq) if len(rows) > limit else None
    return MessageList(items=[StoredMessage.model_validate(row) for row in rows[:limit]], next_cursor=more)


@router.post("/api/chat", responses={200: {"model": SessionChatAnswer}})
async def ask_in_session(body: SessionChatBody, subject: MaybeChatCaller, chat: Chat) -> Response:
    """Ask in a session of the client's naming; without credentials the demo tenant is asked."""
    owner = subject.name if subject else _ANONYMOUS
    tenant_id = subject.tenant_id if subject and subject.tenant_id else DEMO_TENANT_ID
    session = f"{owner}/{body.sessionId}"
    if subject and subject.tenant_id:
        await chat.limits.take_for(subject, chat.address, visitor=session)
    else:
        await chat.limits.take(tenant_id, session, chat.address)
    incoming = Incoming(
        tenant_id,
        body.message,
        owner,
        _named_session(body, subject),
        body.sessionId,
        any_owner=subject is not None and may_write_for_others(subject, tenant_id),
        brand_id=subject.brand_id if subject else None,
        visitor=subject.visitor if subject else {},
    )
    return WholeReply(await chat.dialogue.ask(incoming), lambda done: _session_answer(body.sessionId, done))


async def _incoming(body: ChatBody, subject: Subject, chat: _Chat) -> Incoming:
    await chat.limits.take_for(subject, chat.address)
    return incoming_of(
        subject, body.message, conversation_id=body.conversation_id, brand_id=body.brand_id, locale=body.locale,
        client_message_id=body.client_message_id,
    )  # fmt: skip


def _named_session(body: SessionChatBody, subject: Subject | None) -> str:
    """The key of a session that the client names: each visitor's names are its own, no other can take them first."""
    if subject is None or subject.role is not Role.VISITOR:
        return f"session:{body.sessionId}"
    own = "\x00".join((subject.name, body.sessionId))
    return f"visitor:{sha256(own.encode()).hexdigest()}"


def _session_answer(session_id: str, done: dict[str, Any]) -> dict[str, Any]:
    return {
        "sessionId": session_id,
        "reply": done["answer"],
        "citations": done["citations"],
        "mode": done["mode"],
        "ticketOffered": done["handoff_offered"],
    }
