"""`POST /webchat/webhook`: a signed message in, the reply out; or 202, and a signed POST later."""

import time
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Response
from fastapi import Request as HttpRequest
from starlette.requests import HTTPConnection

from chatbot.channels import repository
from chatbot.channels.accounts import Accounts, ConnectedChannel
from chatbot.channels.contract import Malformed, Request
from chatbot.channels.dependencies import OpenAccounts, TheInbox
from chatbot.channels.events import InboundEvent, Message
from chatbot.channels.inbox.incoming import incoming_of
from chatbot.channels.inbox.proof import prove
from chatbot.channels.inbox.refusals import refusals
from chatbot.channels.inbox.repository import conversation_of_thread
from chatbot.channels.inbox.storable import key
from chatbot.channels.session_body import SessionBody, read_session_body, session_events
from chatbot.channels.webchat.schemas import WebChatAccepted, WebChatAnswer
from chatbot.core import correlation
from chatbot.core.errors import BadRequest, FieldError, InvalidInput, NotFound, error_of_problem
from chatbot.core.metrics import CHANNEL_REQUESTS
from chatbot.db.sessions import Database
from chatbot.dialogue.answerer import Answerer
from chatbot.dialogue.guard import ChatLimits
from chatbot.identity.demo import DEMO_CHANNEL_ID, DEMO_TENANT_ID
from chatbot.identity.dependencies import AppSettings, Db

router = APIRouter(tags=["web chat"])

PATH = "/webchat/webhook"


async def _answerer(connection: HTTPConnection) -> Answerer:
    answerer: Answerer = connection.app.state.answerer
    return answerer


async def _limits(connection: HTTPConnection) -> ChatLimits:
    limits: ChatLimits = connection.app.state.chat_limits
    return limits


@router.post(PATH, responses={202: {"model": WebChatAccepted}})
async def web_chat(
    request: HttpRequest,
    response: Response,
    accounts: OpenAccounts,
    inbox: TheInbox,
    answerer: Annotated[Answerer, Depends(_answerer)],
    limits: Annotated[ChatLimits, Depends(_limits)],
    db: Db,
    settings: AppSettings,
) -> WebChatAnswer | WebChatAccepted:
    """Take a visitor's message from a server that signs it (`X-Timestamp`, `X-Signature`), and answer it.

    With `async`, with attachments, and for everything that is no message: 202; a reply is posted to the channel's
    `webhook_url`, and can be read in the conversation that the answer names.
    """
    body = await request.body()
    asked = Request("POST", settings.gateway_url + PATH, {k.lower(): v for k, v in request.headers.items()}, body)
    channel = await _named_channel(accounts, db, body)
    prove(channel, asked, time.time())
    wanted, event = _read(channel, asked)
    await limits.take(channel.tenant_id, None, None)
    if not isinstance(event.content, Message) or wanted.answer_later or event.content.media:
        taken = await inbox.take(channel, [event])
        response.status_code = 202
        _count("accepted" if taken.new else "repeated")
        async with db.tenant_reader(channel.tenant_id) as session:
            conversation_id = await conversation_of_thread(session, channel.channel_id, key(event.thread))
        return WebChatAccepted(status="accepted", repeated=not taken.new, conversation_id=conversation_id)
    _count("accepted")
    return await _answer(answerer, channel, event, event.content)


async def _answer(
    answerer: Answerer, channel: ConnectedChannel, event: InboundEvent, message: Message
) -> WebChatAnswer:
    incoming = incoming_of(channel, event, message)
    if not incoming.text:
        raise InvalidInput.field("text", "must hold at least 1 character")
    try:
        reply = await answerer.ask(incoming)
    except InvalidInput as error:
        raise _by_our_names(error) from None
    last = await reply.wait()
    if last.name == "error":
        raise error_of_problem(last.data, {})
    said = last.data
    return WebChatAnswer(reply=said["answer"], **{name: said[name] for name in _SAID})


def _by_our_names(error: InvalidInput) -> InvalidInput:
    """What the chat calls `message` is this body's `text`."""
    named = [FieldError("text" if item.field == "message" else item.field, item.message) for item in error.errors]
    return InvalidInput("; ".join(f"{item.field}: {item.message}" for item in named) or error.detail, errors=named)


_SAID = ("conversation_id", "message_id", "citations", "mode", "handoff_offered")


def _read(channel: ConnectedChannel, asked: Request) -> tuple[SessionBody, InboundEvent]:
    try:
        return read_session_body(asked.body), session_events(asked, signed_time=asked.headers.get("x-timestamp", ""))[0]
    except Malformed as error:
        refusals.note("web", "malformed", channel.channel_id)
        field, _, words = str(error).partition(": ")
        raise BadRequest(str(error), errors=[FieldError(field, words)]) from None


async def _named_channel(accounts: Accounts, db: Database, body: bytes) -> ConnectedChannel:
    """Return the channel that the body names, before it is proven: by id, else by a brand of the demo tenant.

    What names nothing, or cannot be read, is taken for the demo channel's, so that it must be proven all the same.
    """
    channel_id, brand = _names(body)
    if channel_id is None and brand:
        async with db.tenant_reader(DEMO_TENANT_ID) as session:
            brand_id = await repository.brand_named(session, brand)
            channel_id = await repository.web_channel_of(session, brand_id) if brand_id else None
        if channel_id is None:
            refusals.note("web", "unknown", None)
            raise NotFound("no such brand")
    channel_id = channel_id or DEMO_CHANNEL_ID
    try:
        channel = await accounts.get(channel_id)
    except NotFound:
        refusals.note("web", "unknown", channel_id)
        raise
    correlation.of_tenant(channel.tenant_id)
    if channel.channel_type != "web" or not channel.enabled:
        refusals.note("web", "unknown", channel_id)
        raise NotFound("no such channel")
    return channel


def _names(body: bytes) -> tuple[UUID | None, str]:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None, ""
    if not isinstance(given, dict):
        return None, ""
    brand = given.get("brand")
    try:
        channel_id = UUID(str(given["channel_id"])) if given.get("channel_id") else None
    except ValueError:
        refusals.note("web", "unknown", None)
        raise NotFound("no such channel") from None
    return channel_id, brand[:200].replace("\x00", "") if isinstance(brand, str) else ""


def _count(outcome: str) -> None:
    CHANNEL_REQUESTS.labels("web", outcome).inc()
