"""`/admin/deliveries`: what was sent, what waits, the dead letters, and their replay."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from chatbot.channels.dependencies import TheOutbox
from chatbot.channels.outbox import repository
from chatbot.channels.schemas import AttemptView, DeliveryDetail, DeliveryStatus, DeliveryView
from chatbot.core.errors import NotFound
from chatbot.core.paging import Cursor, Limit, before_id, cut_page
from chatbot.core.schemas import Page
from chatbot.db.sessions import Database
from chatbot.dialogue.callers import may_write_for_others
from chatbot.identity.dependencies import Caller, Db
from chatbot.identity.subject import Role, Subject

router = APIRouter(prefix="/admin/deliveries", tags=["deliveries"])

_ANSWERS_WITH = frozenset({"token", "reply_token", "url"})
"""Whoever has one answers in our name for some minutes: an interaction (Discord), by LINE, a command (Slack)."""


@router.get("")
async def list_deliveries(
    tenant_id: UUID,
    caller: Caller,
    db: Db,
    status: Annotated[DeliveryStatus | None, Query()] = None,
    channel_id: UUID | None = None,
    conversation_id: UUID | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[DeliveryView]:
    """The deliveries of a tenant, newest first; `status=dead` lists the dead letters."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.VIEWER)) as session:
        rows = await repository.page(
            session, status=status, channel_id=channel_id, conversation_id=conversation_id, before=before_id(cursor),
            limit=limit + 1,
        )  # fmt: skip
    page, following = cut_page(rows, limit)
    return Page(items=[DeliveryView.model_validate(row) for row in page], next_cursor=following)


@router.get("/{delivery_id}")
async def get_delivery(delivery_id: UUID, caller: Caller, db: Db) -> DeliveryDetail:
    """One delivery with every try of it and the provider's words; to agents with what is sent, but one-time tokens."""
    tenant_id = await _reach(db, caller, delivery_id, Role.VIEWER)
    async with db.tenant_reader(tenant_id) as session:
        row = await repository.get(session, delivery_id)
        tries = await repository.attempts_of(session, delivery_id)
    if row is None:
        raise NotFound("no such delivery")
    view = DeliveryView.model_validate(row).model_dump()
    body = {name: value for name, value in row.body.items() if name not in _ANSWERS_WITH}
    read = body if may_write_for_others(caller, tenant_id) else None
    return DeliveryDetail(**view, body=read, tries=[AttemptView.model_validate(one) for one in tries])


@router.post("/{delivery_id}/replay")
async def replay_delivery(delivery_id: UUID, caller: Caller, db: Db, outbox: TheOutbox) -> DeliveryView:
    """Send a dead letter again, now; anything else: 409."""
    tenant_id = await _reach(db, caller, delivery_id, Role.AGENT)
    return DeliveryView.model_validate(await outbox.replay(tenant_id, delivery_id))


async def _reach(db: Database, caller: Subject, delivery_id: UUID, at_least: Role) -> UUID:
    async with db.platform() as session:
        tenant_id = await repository.tenant_of(session, delivery_id)
    return caller.reach(tenant_id, at_least, "delivery")
