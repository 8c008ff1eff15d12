"""`/admin/webhooks`: addresses that are told of events, what they were told, and telling them again."""

from uuid import UUID

from fastapi import APIRouter

from chatbot.automation.addresses import address_seen_by
from chatbot.automation.jobs.schemas import JobStatus
from chatbot.automation.running import secrets
from chatbot.automation.webhooks import repository, service
from chatbot.automation.webhooks.schemas import (
    ChangeWebhook,
    CreateWebhook,
    NewSecret,
    NewWebhook,
    TestResult,
    WebhookDelivery,
    WebhookView,
)
from chatbot.channels.dependencies import ProviderHttp
from chatbot.channels.signed_post import ping
from chatbot.core.entered_address import vet
from chatbot.core.paging import Cursor, Limit, before_id, cut_page
from chatbot.core.schemas import Page
from chatbot.identity.dependencies import Caller, Db, Queue, Secrets
from chatbot.identity.subject import Role, Subject
from chatbot.identity.tenants.service import require_tenant

router = APIRouter(prefix="/admin/webhooks", tags=["webhooks"])


@router.post("", status_code=201)
async def create_webhook(body: CreateWebhook, caller: Caller, db: Db, vault: Secrets, http: ProviderHttp) -> NewWebhook:
    """Have an address told of events, from now on. Its secret is shown this once."""
    tenant_id = caller.reach(body.tenant_id, Role.TENANT_ADMIN)
    await vet(http, body.url, "url")
    async with db.tenant(tenant_id) as session:
        webhook, secret = await service.create(session, caller, body, vault)
        return NewWebhook(**service.shown(webhook, {}), secret=secret)


@router.get("")
async def list_webhooks(
    tenant_id: UUID, caller: Caller, db: Db, limit: Limit = 50, cursor: Cursor = None
) -> Page[WebhookView]:
    """The webhooks of a tenant, newest first; below the administrators' role with scheme and host of addresses."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.VIEWER)) as session:
        await require_tenant(session)
        rows = await repository.page(session, before=before_id(cursor), limit=limit + 1)
        page, following = cut_page(rows, limit)
        items = [_seen_by(caller, view) for view in await service.views(session, page)]
        return Page(items=items, next_cursor=following)


@router.get("/{webhook_id}")
async def get_webhook(webhook_id: UUID, caller: Caller, db: Db) -> WebhookView:
    """One webhook."""
    async with db.tenant_reader(await service.reach(db, caller, webhook_id, Role.VIEWER)) as session:
        return _seen_by(caller, (await service.views(session, [await service.require(session, webhook_id)]))[0])


@router.patch("/{webhook_id}")
async def change_webhook(
    webhook_id: UUID, body: ChangeWebhook, caller: Caller, db: Db, http: ProviderHttp
) -> WebhookView:
    """Change a webhook; what is left out stays. One that is paused is told nothing of what happens meanwhile."""
    tenant_id = await service.reach(db, caller, webhook_id, Role.TENANT_ADMIN)
    if body.url is not None:
        await vet(http, body.url, "url")
    async with db.tenant(tenant_id) as session:
        return (await service.views(session, [await service.change(session, webhook_id, body)]))[0]


@router.delete("/{webhook_id}", status_code=204)
async def remove_webhook(webhook_id: UUID, caller: Caller, db: Db) -> None:
    """Remove a webhook; what waits to be delivered is not sent any more."""
    async with db.tenant(await service.reach(db, caller, webhook_id, Role.TENANT_ADMIN)) as session:
        await service.remove(session, webhook_id)


@router.post("/{webhook_id}/rotate_secret")
async def rotate_webhook_secret(webhook_id: UUID, caller: Caller, db: Db, vault: Secrets) -> NewSecret:
    """Make a webhook's secret anew."""
    async with db.tenant(await service.reach(db, caller, webhook_id, Role.TENANT_ADMIN)) as session:
        await service.require_locked(session, webhook_id)
        return NewSecret(secret=await secrets.rotate(session, vault, webhook_id))


@router.post("/{webhook_id}/test")
async def test_webhook(webhook_id: UUID, caller: Caller, db: Db, vault: Secrets, http: ProviderHttp) -> TestResult:
    """Send the address a signed ping now and say how it answered."""
    async with db.tenant(await service.reach(db, caller, webhook_id, Role.TENANT_ADMIN)) as session:
        url = service.url_of(await service.require(session, webhook_id))
        secret = await secrets.signing_secret(session, vault, webhook_id)
    found = await ping(url, [secret], http)
    return TestResult(ok=found.ok, words=found.words)


@router.get("/{webhook_id}/deliveries")
async def list_webhook_deliveries(
    webhook_id: UUID,
    caller: Caller,
    db: Db,
    status: JobStatus | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[WebhookDelivery]:
    """What an address was told or is to be told, newest first."""
    async with db.tenant_reader(await service.reach(db, caller, webhook_id, Role.VIEWER)) as session:
        rows = await service.deliveries(
            session, webhook_id, status=status, before=before_id(cursor), limit=limit + 1
        )  # fmt: skip
    page, following = cut_page(rows, limit)
    return Page(items=page, next_cursor=following)


@router.post("/{webhook_id}/deliveries/{delivery_id}/replay")
async def replay_webhook_delivery(
    webhook_id: UUID, delivery_id: UUID, caller: Caller, db: Db, jobs: Queue
) -> WebhookDelivery:
    """Tell an address of an event again, with the same `webhook-id`."""
    async with db.tenant(await service.reach(db, caller, webhook_id, Role.TENANT_ADMIN)) as session:
        return await service.replay(session, jobs, webhook_id, delivery_id)


def _seen_by(caller: Subject, view: WebhookView) -> WebhookView:
    return view.model_copy(update={"url": address_seen_by(caller, view.tenant_id, view.url)})
