"""`/admin/deleted`: what was deleted and can be brought back; the way back of channels, rules and webhooks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends

from chatbot.automation.rules import service as rules
from chatbot.automation.rules.schemas import RuleView
from chatbot.automation.webhooks import service as webhooks
from chatbot.automation.webhooks.schemas import WebhookView
from chatbot.channels.bot_profiles.endpoints import Profiles
from chatbot.channels.dependencies import Channels, OpenAccounts, TheWidget
from chatbot.channels.schemas import ChannelView
from chatbot.channels.views import channel_view
from chatbot.core.clock import utcnow
from chatbot.core.errors import Conflict
from chatbot.core.paging import Cursor, Limit, before_id, cut_page
from chatbot.core.schemas import Page
from chatbot.db.sessions import Database, TenantSession
from chatbot.identity.dependencies import AppSettings, Caller, Db
from chatbot.identity.subject import Role, Subject
from chatbot.identity.tenants.service import require_tenant
from chatbot.ops.restoring import repository
from chatbot.ops.restoring.schemas import DeletedRecord

router = APIRouter(prefix="/admin", tags=["data"])


async def _window(settings: AppSettings) -> timedelta:
    return timedelta(days=settings.restore_window_days)


Window = Annotated[timedelta, Depends(_window)]


@router.get("/deleted")
async def list_deleted(
    caller: Caller, db: Db, window: Window, tenant_id: UUID | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[DeletedRecord]:
    """What was deleted of a tenant: people, channels, rules, webhooks; without one all, for platform admins."""
    if tenant_id is None:
        caller.require_platform_admin()
    else:
        async with db.tenant_reader(caller.reach(tenant_id, Role.TENANT_ADMIN)) as reader:
            await require_tenant(reader)
    since, before = utcnow() - window, before_id(cursor)
    async with db.platform() as session:
        rows = await repository.deleted(session, tenant_id, since, before=before, limit=limit + 1)
    page, following = cut_page(rows, limit)
    items = [
        DeletedRecord(
            kind=row.kind, id=row.id, tenant_id=row.tenant_id, name=row.name, deleted_at=row.deleted_at,
            restorable_until=row.deleted_at + window,
        )
        for row in page
    ]  # fmt: skip
    return Page(items=items, next_cursor=following)


@router.post("/channels/{channel_id}/restore")
async def restore_channel(
    channel_id: UUID,
    caller: Caller,
    db: Db,
    channels: Channels,
    window: Window,
    accounts: OpenAccounts,
    widget: TheWidget,
    profiles: Profiles,
) -> ChannelView:
    """Bring a deleted channel back with its secrets; a messenger's is switched off until you switch it on. 409 when one
    of its `allowed_origins` was taken meanwhile."""
    async with db.platform() as platform:
        found, origins = await repository.deleted_channel(platform, channel_id)
    tenant_id = caller.reach(found, Role.TENANT_ADMIN, "channel")
    await profiles.require_free(tenant_id, origins)
    async with db.tenant(tenant_id) as session:
        await require_tenant(session)
        if not await repository.restore_channel(session, channel_id, utcnow() - window):
            raise Conflict(f"a channel can be restored for {window.days} days; that is over")
    accounts.forget(channel_id)
    widget.forget()
    return channel_view(await channels.get(tenant_id, channel_id))


@router.post("/automation/rules/{rule_id}/restore")
async def restore_rule(rule_id: UUID, caller: Caller, db: Db, window: Window) -> RuleView:
    """Bring a removed rule back, paused: resume it when you have looked at it."""
    async with _restored(rule_id, "rule", caller, db, window) as session:
        return RuleView.model_validate(await rules.require(session, rule_id))


@router.post("/webhooks/{webhook_id}/restore")
async def restore_webhook(webhook_id: UUID, caller: Caller, db: Db, window: Window) -> WebhookView:
    """Bring a removed webhook back with its secret, paused."""
    async with _restored(webhook_id, "webhook", caller, db, window) as session:
        return (await webhooks.views(session, [await webhooks.require(session, webhook_id)]))[0]


@asynccontextmanager
async def _restored(
    rule_id: UUID, kind: Literal["rule", "webhook"], caller: Subject, db: Database, window: timedelta
) -> AsyncIterator[TenantSession]:
    """Bring a rule or a webhook back, and let the block read it in the same transaction."""
    async with db.platform() as platform:
        found = await repository.tenant_of_deleted_rule(platform, rule_id, kind)
    async with db.tenant(caller.reach(found, Role.TENANT_ADMIN, kind)) as session:
        await require_tenant(session)
        if not await repository.restore_rule(session, rule_id, utcnow() - window):
            raise Conflict(f"a {kind} can be restored for {window.days} days; that is over")
        yield session
