"""What a gateway asks of the orchestrator; no part of the public API."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from chatbot.core.errors import Unauthenticated
from chatbot.dialogue.answerer import Answerer
from chatbot.dialogue.incoming import Incoming
from chatbot.dialogue.live import Place
from chatbot.dialogue.remote import TURNS_PATH
from chatbot.dialogue.sse import EventStream
from chatbot.identity.dependencies import ServiceTenant

router = APIRouter(include_in_schema=False)


async def _answerer(request: Request) -> Answerer:
    answerer: Answerer = request.app.state.dialogue
    return answerer


@router.post(TURNS_PATH)
async def ask(
    incoming: Incoming, tenant_id: ServiceTenant, answerer: Annotated[Answerer, Depends(_answerer)], request: Request
) -> Response:
    """Take a gateway's message and stream the reply; the gateway has checked who speaks, and counted it."""
    if incoming.tenant_id != tenant_id:
        raise Unauthenticated("the token is for another tenant")
    return EventStream(await answerer.ask(incoming), Place(), request.app.state.draining)
