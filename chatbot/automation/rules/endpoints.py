"""`/admin/automation/rules`: written, read, changed, paused, resumed, removed; what rules are made of."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter

from chatbot.automation.addresses import actions_seen_by
from chatbot.automation.catalogue import EVENTS
from chatbot.automation.rules import repository, service
from chatbot.automation.rules.actions import ACTION_TYPES, AnyAction, Webhook
from chatbot.automation.rules.facts import FIELDS
from chatbot.automation.rules.schemas import (
    ChangeRule,
    CreateRule,
    EventKindView,
    RuleView,
    State,
    Vocabulary,
)
from chatbot.channels.dependencies import ProviderHttp
from chatbot.core.entered_address import vet
from chatbot.core.paging import Cursor, Limit, before_id, cut_page
from chatbot.core.safe_http import SafeHttp
from chatbot.core.schemas import Page
from chatbot.identity.dependencies import Caller, Db
from chatbot.identity.subject import Role, Subject
from chatbot.identity.tenants.service import require_tenant

router = APIRouter(prefix="/admin/automation", tags=["automation"])


@router.get("/vocabulary")
async def vocabulary(_caller: Caller) -> Vocabulary:
    """Events, fields and actions that rules are made of."""
    kinds = [EventKindView(name=name, **_told(name)) for name in sorted(EVENTS)]
    return Vocabulary(events=kinds, fields=dict(FIELDS), actions=list(ACTION_TYPES))


@router.post("/rules", status_code=201)
async def create_rule(body: CreateRule, caller: Caller, db: Db, http: ProviderHttp) -> RuleView:
    """Write a rule; an active one begins at once, and with what happens from now on."""
    tenant_id = caller.reach(body.tenant_id, Role.TENANT_ADMIN)
    await _vet_actions(body.actions, http)
    async with db.tenant(tenant_id) as session:
        return RuleView.model_validate(await service.create(session, caller, body))


@router.get("/rules")
async def list_rules(
    tenant_id: UUID, caller: Caller, db: Db, state: State | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[RuleView]:
    """The rules of a tenant, newest first; below the administrators' role with scheme and host of addresses."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.VIEWER)) as session:
        await require_tenant(session)
        rows = await repository.page(session, state=state, before=before_id(cursor), limit=limit + 1)
    page, following = cut_page(rows, limit)
    items = [_seen_by(caller, RuleView.model_validate(row)) for row in page]
    return Page(items=items, next_cursor=following)


@router.get("/rules/{rule_id}")
async def get_rule(rule_id: UUID, caller: Caller, db: Db) -> RuleView:
    """One rule."""
    async with db.tenant_reader(await service.reach(db, caller, rule_id, Role.VIEWER)) as session:
        return _seen_by(caller, RuleView.model_validate(await service.require(session, rule_id)))


@router.patch("/rules/{rule_id}")
async def change_rule(rule_id: UUID, body: ChangeRule, caller: Caller, db: Db, http: ProviderHttp) -> RuleView:
    """Change a rule; what is left out stays. Jobs that run go on with the actions that they began with."""
    tenant_id = await service.reach(db, caller, rule_id, Role.TENANT_ADMIN)
    await _vet_actions(body.actions or (), http)
    async with db.tenant(tenant_id) as session:
        return RuleView.model_validate(await service.change(session, rule_id, body))


@router.delete("/rules/{rule_id}", status_code=204)
async def remove_rule(rule_id: UUID, caller: Caller, db: Db) -> None:
    """Remove a rule; its jobs can still be read."""
    async with db.tenant(await service.reach(db, caller, rule_id, Role.TENANT_ADMIN)) as session:
        await service.remove(session, rule_id)


@router.post("/rules/{rule_id}/pause")
async def pause_rule(rule_id: UUID, caller: Caller, db: Db) -> RuleView:
    """Let a rule rest: it starts nothing until it is resumed."""
    async with db.tenant(await service.reach(db, caller, rule_id, Role.TENANT_ADMIN)) as session:
        return RuleView.model_validate(await service.pause(session, rule_id, "Somebody paused it."))


@router.post("/rules/{rule_id}/resume")
async def resume_rule(rule_id: UUID, caller: Caller, db: Db) -> RuleView:
    """Wake a rule; what happened while it rested starts nothing."""
    async with db.tenant(await service.reach(db, caller, rule_id, Role.TENANT_ADMIN)) as session:
        return RuleView.model_validate(await service.resume(session, rule_id))


async def _vet_actions(actions: Sequence[AnyAction], http: SafeHttp) -> None:
    """Refuse a rule that is to call where nothing is called; raises `InvalidInput`."""
    for number, action in enumerate(actions):
        if isinstance(action, Webhook):
            await vet(http, action.url, f"actions.{number}.url")


def _seen_by(caller: Subject, view: RuleView) -> RuleView:
    return view.model_copy(update={"actions": actions_seen_by(caller, view.tenant_id, view.actions)})


def _told(name: str) -> dict[str, object]:
    kind = EVENTS[name]
    return {
        "meaning": kind.meaning, "payload": dict(kind.payload), "payload_schema": kind.payload_schema,
        "version": kind.version,
    }  # fmt: skip
