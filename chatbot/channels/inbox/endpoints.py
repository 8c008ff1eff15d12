"""`/webhooks/{channel_type}/{channel_id}`: where providers call."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from fastapi import APIRouter
from fastapi import Request as HttpRequest
from fastapi.responses import Response

from chatbot.channels.accounts import Accounts, ConnectedChannel
from chatbot.channels.contract import Account, Answer, Completer, Malformed, Request, SingleUse
from chatbot.channels.dependencies import OpenAccounts, ProviderHttp, TheInbox
from chatbot.channels.events import InboundEvent
from chatbot.channels.inbox.proof import prove
from chatbot.channels.inbox.refusals import refusals
from chatbot.core import correlation
from chatbot.core.errors import BadRequest, NotFound, TooLarge
from chatbot.core.metrics import CHANNEL_REQUESTS
from chatbot.core.safe_http import OutgoingTimeout, SafeHttp
from chatbot.identity.dependencies import AppSettings

router = APIRouter(tags=["provider webhooks"])

P = ParamSpec("P")
Read = TypeVar("Read")

MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_MAIL_BYTES = 32 * 1024 * 1024
"""Mail services send attachments along."""

_LARGE_BYTES = 256 * 1024

COMPLETE_SECONDS = 20.0
"""For all that a provider is asked for before its webhook is answered; it calls again when that is too short."""


@router.get("/webhooks/{channel_type}/{channel_id}")
@router.get("/webhooks/{channel_type}/{channel_id}/{token}")
async def handshake(
    request: HttpRequest,
    channel_type: str,
    channel_id: UUID,
    accounts: OpenAccounts,
    settings: AppSettings,
    token: str = "",
) -> Response:
    """Answer a provider's question whether we are there. Needs what the provider proves itself with."""
    channel = await _channel(accounts, channel_type, channel_id)
    asked = _request(request, b"", settings.gateway_url, token)
    asked_of = (channel.account, *channel.older)
    answers = [answer for account in asked_of if (answer := channel.provider.handshake(account, asked))]
    if not answers:
        refusals.note(channel_type, "unknown", channel_id)
        raise NotFound("no such channel")
    best = min(answers, key=lambda answer: answer.status)
    if best.status < 400:
        _count(channel_type, "handshake")
    else:
        refusals.note(channel_type, "refused_wrong", channel_id)
    return _response(best)


@router.post("/webhooks/{channel_type}/{channel_id}")
@router.post("/webhooks/{channel_type}/{channel_id}/{token}")
async def receive(
    request: HttpRequest,
    channel_type: str,
    channel_id: UUID,
    accounts: OpenAccounts,
    inbox: TheInbox,
    settings: AppSettings,
    http: ProviderHttp,
    token: str = "",
) -> Response:
    """Take a provider's events: proven over the raw body, stored, then answered; a repeat has no effect."""
    channel = await _channel(accounts, channel_type, channel_id)
    asked = _request(request, await _body(request, channel), settings.gateway_url, token)
    await _in_time(asked, prove, channel, asked, time.time())
    answer = channel.provider.handshake(channel.account, asked)
    if answer is not None:
        _count(channel_type, "handshake")
        return _response(answer)
    events = await _events(channel, asked, http)
    once = channel.provider.once(channel.account, asked) if isinstance(channel.provider, SingleUse) else ""
    taken = await inbox.take(channel, events, once=once)
    _count(channel_type, "accepted" if taken.new or not events else "repeated")
    return _response(channel.provider.acknowledge(channel.account, events))


async def _in_time(asked: Request, read: Callable[P, Read], *args: P.args, **more: P.kwargs) -> Read:
    """Read a request; a large one (a mail with its files) in a thread, so that nobody else waits."""
    if len(asked.body) > _LARGE_BYTES:
        return await asyncio.to_thread(read, *args, **more)
    return read(*args, **more)


async def _events(channel: ConnectedChannel, asked: Request, http: SafeHttp) -> list[InboundEvent]:
    provider = channel.provider
    try:
        events = await _in_time(asked, provider.parse, channel.account, asked)
    except Malformed as error:
        refusals.note(channel.channel_type, "malformed", channel.channel_id)
        raise BadRequest("body: " + str(error).removeprefix("body: ")) from None
    if isinstance(provider, Completer):
        return await _completed(channel.account, provider, events, http)
    return events


async def _completed(
    account: Account[Any], provider: Completer, events: Sequence[InboundEvent], http: SafeHttp
) -> list[InboundEvent]:
    try:
        async with asyncio.timeout(COMPLETE_SECONDS):
            return [await provider.complete(account, event, http) for event in events]
    except TimeoutError:
        raise OutgoingTimeout("What the provider announced could not be read in time; it may call again.") from None


async def _channel(accounts: Accounts, channel_type: str, channel_id: UUID) -> ConnectedChannel:
    """Return the channel; one that is unknown, switched off or of another type is told apart by nobody."""
    try:
        channel = await accounts.get(channel_id)
    except NotFound:
        refusals.note(channel_type, "unknown", channel_id)
        raise
    correlation.of_tenant(channel.tenant_id)
    if channel.channel_type != channel_type or not channel.enabled or channel_type == "web":
        refusals.note(channel_type, "unknown", channel_id)
        raise NotFound("no such channel")
    return channel


async def _body(request: HttpRequest, channel: ConnectedChannel) -> bytes:
    limit = MAX_MAIL_BYTES if channel.channel_type == "email" else MAX_BODY_BYTES
    body = bytearray()
    told = request.headers.get("content-length", "")
    too_large = told.isdigit() and int(told) > limit
    if not too_large:
        async for block in request.stream():
            body += block
            if len(body) > limit:
                too_large = True
                break
    if too_large:
        refusals.note(channel.channel_type, "too_large", channel.channel_id)
        raise TooLarge(f"body: at most {limit} bytes are accepted here")
    return bytes(body)


def _request(request: HttpRequest, body: bytes, gateway_url: str, token: str) -> Request:
    """What adapters see: the address is the public one, not that of the (proxied) request."""
    query = request.url.query
    return Request(
        method=request.method,
        url=f"{gateway_url}{request.url.path}{'?' + query if query else ''}",
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        query=dict(request.query_params),
        token=token,
    )


def _response(answer: Answer) -> Response:
    return Response(answer.body, status_code=answer.status, media_type=answer.content_type)


def _count(channel_type: str, outcome: str) -> None:
    CHANNEL_REQUESTS.labels(channel_type, outcome).inc()
