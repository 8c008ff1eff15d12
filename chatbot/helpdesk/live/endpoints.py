"""`GET /admin/live`: the inbox as it changes."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import Response

from chatbot.core.web import event_stream
from chatbot.dialogue.log import parse_place
from chatbot.helpdesk.dependencies import Agents
from chatbot.helpdesk.live.feed import Feed, FeedParts
from chatbot.helpdesk.live.signals import Signals
from chatbot.identity.access.service import Access
from chatbot.identity.dependencies import Caller, Resolver
from chatbot.identity.subject import Role

router = APIRouter(tags=["help desk"])

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "Events of the tenant's log by their names, each with an id to resume by; without one `typing`, `read`, "
            "`delivery`, `erased` and `ping`. `ready` begins; `reset`: too much was missed, load anew; "
            "`shutdown`: reconnect."
        ),
        "content": event_stream(),
    }
}


async def _signals(request: Request) -> Signals:
    signals: Signals = request.app.state.signals
    return signals


@router.get("/admin/live", responses=_EVENTS, response_class=Response)
async def live(
    tenant_id: UUID,
    request: Request,
    caller: Caller,
    access: Resolver,
    agents: Agents,
    signals: Annotated[Signals, Depends(_signals)],
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=2000)] = None,
) -> Response:
    """Follow a tenant's inbox; with `Last-Event-ID` from there on, without anything missed. The agent is there."""
    tenant_id = caller.reach(tenant_id, Role.AGENT)
    place = parse_place(last_event_id) if last_event_id else None
    agent = await agents.agent(caller)
    credential = request.headers["authorization"].partition(" ")[2].strip()
    state = request.app.state
    parts = FeedParts(
        state.database, state.bus, signals, state.draining, partial(_still, access, credential, tenant_id)
    )
    return Feed(parts, tenant_id, agent, place)


async def _still(access: Access, credential: str, tenant_id: UUID) -> None:
    """Raise when the credential does not hold any more, or not for this tenant."""
    (await access.admin(credential)).reach(tenant_id, Role.AGENT)
