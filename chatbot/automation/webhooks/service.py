"""Webhooks: made, changed, tested, removed; what they were told, told again."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import procrastinate

from chatbot.automation.firing.repository import begin_cursor
from chatbot.automation.jobs.repository import page as jobs_page
from chatbot.automation.queueing import run_later
from chatbot.automation.rules.errors import TooManyRules
from chatbot.automation.rules.repository import now
from chatbot.automation.running import secrets
from chatbot.automation.running.runner import delivery_id_of
from chatbot.automation.webhooks import repository
from chatbot.automation.webhooks.schemas import (
    ChangeWebhook,
    CreateWebhook,
    DeliveryTry,
    WebhookDelivery,
    WebhookView,
)
from chatbot.core.crypto import Vault
from chatbot.core.errors import NotFound
from chatbot.core.ids import new_id
from chatbot.db.models import AutomationJob, AutomationRule
from chatbot.db.sessions import Database, TenantReader, TenantSession
from chatbot.identity.audit.acting import note
from chatbot.identity.brands.service import get_brand
from chatbot.identity.subject import Role, Subject
from chatbot.identity.tenants.service import require_tenant

MAX_WEBHOOKS = 50
"""Webhooks of one tenant."""


async def reach(database: Database, subject: Subject, webhook_id: UUID, at_least: Role) -> UUID:
    """Return the tenant of a webhook that the subject reaches with a role.

    Raises:
        NotFound: no such webhook, or one of a tenant that is none of the subject's.
        Forbidden: too low a role.
    """
    async with database.platform() as session:
        tenant_id = await repository.tenant_of(session, webhook_id)
    return subject.reach(tenant_id, at_least, "webhook")


async def create(session: TenantSession, subject: Subject, wanted: CreateWebhook, vault: Vault) -> tuple[Any, str]:
    """Insert a webhook; return it and the secret that signs what it is told.

    Raises:
        NotFound: no such tenant or brand.
        TooManyRules: the tenant has as many as it may.
    """
    await require_tenant(session)
    if wanted.brand_id is not None:
        await get_brand(session, wanted.brand_id)
    if await repository.count(session) >= MAX_WEBHOOKS:
        raise TooManyRules(f"a tenant may have {MAX_WEBHOOKS} webhooks")
    webhook = AutomationRule(
        tenant_id=session.tenant_id, id=new_id(), kind="webhook", brand_id=wanted.brand_id, name="Webhook",
        description=wanted.description, state=wanted.state, created_by=subject.name, conditions={"all": []},
        trigger=_trigger(wanted.events), actions=_actions(wanted.url), active_since=await now(session),
    )  # fmt: skip
    note(target=f"webhook:{webhook.id}")
    session.add(webhook)
    await begin_cursor(session)
    await session.flush()
    await session.refresh(webhook)
    return webhook, await secrets.signing_secret(session, vault, webhook.id)


async def change(session: TenantSession, webhook_id: UUID, wanted: ChangeWebhook) -> AutomationRule:
    """Change what is given; one that rested is told what happens from now on.

    Raises:
        NotFound: no such webhook.
    """
    webhook = await require_locked(session, webhook_id)
    if wanted.url is not None:
        webhook.actions = _actions(wanted.url)
    if wanted.events is not None:
        webhook.trigger = _trigger(wanted.events)
    if wanted.description is not None:
        webhook.description = wanted.description
    if wanted.state is not None and wanted.state != webhook.state:
        webhook.state, webhook.active_since = wanted.state, await now(session)
    webhook.version += 1
    await session.flush()
    await session.refresh(webhook)
    return webhook


async def remove(session: TenantSession, webhook_id: UUID) -> None:
    """Remove a webhook; what waits to be delivered is not sent any more."""
    webhook = await require_locked(session, webhook_id)
    webhook.deleted_at = await now(session)


async def require(session: TenantReader, webhook_id: UUID) -> AutomationRule:
    """Return a webhook.

    Raises:
        NotFound: no such webhook.
    """
    webhook = await repository.get(session, webhook_id)
    if webhook is None:
        raise NotFound("no such webhook")
    return webhook


async def require_locked(session: TenantSession, webhook_id: UUID) -> AutomationRule:
    """Return a webhook, locked; raises `NotFound`."""
    webhook = await repository.lock(session, webhook_id)
    if webhook is None:
        raise NotFound("no such webhook")
    return webhook


async def views(session: TenantReader, webhooks: Sequence[AutomationRule]) -> list[WebhookView]:
    """Return webhooks as operators see them."""
    loads = await repository.loads(session, [webhook.id for webhook in webhooks])
    return [WebhookView(**shown(webhook, loads.get(webhook.id, {}))) for webhook in webhooks]


def shown(webhook: AutomationRule, load: dict[str, int]) -> dict[str, Any]:
    """Return the fields of a webhook's view."""
    same = ("id", "tenant_id", "brand_id", "description", "state", "created_at", "updated_at")
    return {
        **{name: getattr(webhook, name) for name in same},
        "url": url_of(webhook),
        "events": webhook.trigger["name"],
        "waiting": load.get("pending", 0) + load.get("running", 0),
        "failed": load.get("failed", 0),
    }


def url_of(webhook: AutomationRule) -> str:
    """Return a webhook's address."""
    return str(webhook.actions[0]["url"])


async def deliveries(
    session: TenantReader, webhook_id: UUID, *, status: str | None, before: UUID | None, limit: int
) -> list[WebhookDelivery]:
    """Return what a webhook was told, newest first."""
    rows = await jobs_page(
        session, rule_id=webhook_id, status=status, conversation_id=None, before=before, limit=limit
    )  # fmt: skip
    return [_delivery(row) for row in rows]


async def replay(
    session: TenantSession, jobs: procrastinate.App, webhook_id: UUID, delivery_id: UUID
) -> WebhookDelivery:
    """Tell a webhook of an event again, at the address that it has now and with the same `webhook-id`.

    Raises:
        NotFound: no such webhook, or it has no such delivery.
    """
    webhook = await require_locked(session, webhook_id)
    job = await repository.delivery(session, webhook_id, delivery_id)
    if job is None:
        raise NotFound("no such delivery")
    if job.status not in ("pending", "running"):
        job.status, job.step, job.attempts, job.reason = "pending", 0, 0, None
        job.started_at = job.finished_at = None
    job.actions, job.due_at = webhook.actions, await now(session)
    await session.flush()
    await run_later(jobs, session, [job.id])
    return _delivery(job)


def _delivery(job: AutomationJob) -> WebhookDelivery:
    same = ("id", "status", "attempts", "reason", "due_at", "created_at", "finished_at")
    fields = {name: getattr(job, name) for name in same}
    return WebhookDelivery(
        **fields, webhook_id=delivery_id_of(job.id, 0), event=job.event["name"], payload=job.event.get("payload", {}),
        tries=[DeliveryTry(**{name: told[name] for name in DeliveryTry.model_fields}) for told in job.results],
    )  # fmt: skip


def _trigger(events: Sequence[str]) -> dict[str, Any]:
    return {"type": "event", "name": list(events)}


def _actions(url: str) -> list[dict[str, Any]]:
    return [{"type": "webhook", "url": url, "body": None}]
