"""Rules: written, changed, paused, resumed, removed."""

from typing import Any
from uuid import UUID

from pydantic import ValidationError

from chatbot.automation.firing.repository import begin_cursor
from chatbot.automation.rules import repository
from chatbot.automation.rules.errors import TooManyRules, VersionConflict
from chatbot.automation.rules.references import require_known
from chatbot.automation.rules.schemas import ChangeRule, CreateRule, RuleDocument
from chatbot.automation.rules.triggers import OnSilence, OnTime, Trigger, next_time
from chatbot.core.errors import InvalidInput, NotFound
from chatbot.core.ids import new_id
from chatbot.core.web import invalid_input_of
from chatbot.db.models import AutomationRule
from chatbot.db.sessions import Database, TenantReader, TenantSession
from chatbot.identity.audit.acting import note
from chatbot.identity.brands.service import get_brand
from chatbot.identity.subject import Role, Subject
from chatbot.identity.tenants.service import require_tenant

MAX_RULES = 500
"""Rules of one tenant."""


async def reach(database: Database, subject: Subject, rule_id: UUID, at_least: Role) -> UUID:
    """Return the tenant of a rule that the subject reaches with a role.

    Raises:
        NotFound: no such rule, or one of a tenant that is none of the subject's.
        Forbidden: too low a role.
    """
    async with database.platform() as session:
        tenant_id = await repository.tenant_of(session, rule_id)
    return subject.reach(tenant_id, at_least, "rule")


async def create(session: TenantSession, subject: Subject, wanted: CreateRule) -> AutomationRule:
    """Insert a rule.

    Raises:
        NotFound: no such tenant or brand.
        TooManyRules: the tenant has as many as it may.
        InvalidInput: it names what is not there.
    """
    await require_tenant(session)
    if wanted.brand_id is not None:
        await get_brand(session, wanted.brand_id)
    if await repository.count(session) >= MAX_RULES:
        raise TooManyRules(f"a tenant may have {MAX_RULES} rules")
    await require_known(session, wanted)
    rule = AutomationRule(
        tenant_id=session.tenant_id, id=new_id(), brand_id=wanted.brand_id, name=wanted.name,
        description=wanted.description, state=wanted.state, created_by=subject.name, **as_columns(wanted),
    )  # fmt: skip
    note(target=f"rule:{rule.id}")
    await _begin(session, rule, wanted.trigger)
    session.add(rule)
    return await _refreshed(session, rule)


async def change(session: TenantSession, rule_id: UUID, wanted: ChangeRule) -> AutomationRule:
    """Change what is given; jobs that run keep the actions that they began with.

    Raises:
        NotFound: no such rule.
        VersionConflict: somebody has changed it since the version named.
        InvalidInput: its parts do not fit one another, or name what is not there.
    """
    rule = await require(session, rule_id, locked=True)
    if wanted.version not in (None, rule.version):
        raise VersionConflict(f"version: {wanted.version} is not the newest any more; that is {rule.version}")
    # Within a part null is a value: `assign` to nobody, a member of a webhook's body.
    given = {name: value for name, value in wanted.model_dump(mode="json").items() if value is not None}
    given.pop("version", None)
    document = _whole({**stored(rule), **{name: given[name] for name in given if name in RuleDocument.model_fields}})
    if {"trigger", "conditions", "actions"} & given.keys():
        await require_known(session, document)
    for name, value in {**given, **as_columns(document)}.items():
        setattr(rule, name, value)
    rule.version += 1
    if wanted.trigger is not None:
        await _begin(session, rule, document.trigger)
    return await _refreshed(session, rule)


async def pause(session: TenantSession, rule_id: UUID, because: str) -> AutomationRule:
    """Let a rule rest; one that rests stays so."""
    rule = await require(session, rule_id, locked=True)
    if rule.state == "active":
        rule.state, rule.paused_because, rule.next_fire_at = "paused", because, None
    return await _refreshed(session, rule)


async def resume(session: TenantSession, rule_id: UUID) -> AutomationRule:
    """Wake a rule; what happened while it rested starts nothing."""
    rule = await require(session, rule_id, locked=True)
    if rule.state == "paused":
        rule.state, rule.paused_because = "active", None
        await _begin(session, rule, document_of(rule).trigger)
    return await _refreshed(session, rule)


async def remove(session: TenantSession, rule_id: UUID) -> None:
    """Remove a rule; its jobs stay to be read."""
    rule = await require(session, rule_id, locked=True)
    rule.deleted_at, rule.next_fire_at = await repository.now(session), None


async def require(session: TenantReader, rule_id: UUID, *, locked: bool = False) -> AutomationRule:
    """Return a rule.

    Raises:
        NotFound: no such rule.
    """
    if locked:
        assert isinstance(session, TenantSession)
        rule = await repository.lock(session, rule_id)
    else:
        rule = await repository.get(session, rule_id)
    if rule is None:
        raise NotFound("no such rule")
    return rule


def stored(rule: AutomationRule) -> dict[str, Any]:
    """Return a rule's document as JSON."""
    return {name: getattr(rule, name) for name in RuleDocument.model_fields}


def document_of(rule: AutomationRule) -> RuleDocument:
    """Return a rule's document."""
    return RuleDocument.model_validate(stored(rule))


def as_columns(document: RuleDocument) -> dict[str, Any]:
    """Return a document as it is stored."""
    return document.model_dump(mode="json", by_alias=True, include=set(RuleDocument.model_fields))


def _whole(document: dict[str, Any]) -> RuleDocument:
    try:
        return RuleDocument.model_validate(document)
    except ValidationError as error:
        raise invalid_input_of(error, document) from None


async def _begin(session: TenantSession, rule: AutomationRule, trigger: Trigger) -> None:
    """From now on: what was before starts nothing."""
    now = await repository.now(session)
    zone = (await require_tenant(session)).timezone
    rule.active_since = now
    await begin_cursor(session)
    rule.seen_until = now if isinstance(trigger, OnSilence) else None
    rule.next_fire_at = None
    if isinstance(trigger, OnTime) and rule.state == "active":
        rule.next_fire_at = next_time(trigger, zone, now)
        if rule.next_fire_at is None:
            raise InvalidInput.field("trigger.cron", "never comes")


async def _refreshed(session: TenantSession, rule: AutomationRule) -> AutomationRule:
    await session.flush()
    await session.refresh(rule)
    return rule
