"""Holds a rule against happenings and says what it would do, with the code that does it, and without doing it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from uuid import UUID

from chatbot.automation.firing import matching
from chatbot.automation.firing import repository as firings
from chatbot.automation.firing.facts import Happening, gather
from chatbot.automation.firing.matching import Brakes, Firing, Live
from chatbot.automation.rules import repository as rules
from chatbot.automation.rules.conditions import comparisons
from chatbot.automation.rules.schemas import RuleDocument
from chatbot.automation.rules.service import as_columns
from chatbot.automation.rules.triggers import OnEvent, OnSilence, OnTime, next_time
from chatbot.automation.trials import repository
from chatbot.automation.trials.rendering import CannedTexts, Rendering
from chatbot.automation.trials.schemas import Against, GivenEvent, RuleTried, Trial, Tried
from chatbot.core.clock import utcnow
from chatbot.core.errors import InvalidInput, NotFound
from chatbot.db.models import AutomationRule
from chatbot.db.sessions import TenantReader
from chatbot.identity.policies.service import current_policy
from chatbot.identity.tenants.service import require_tenant

_DAYS = 7
_MOST = 1_000
_SHOWN = 100
_TIMES = 5


async def try_rule(session: TenantReader, rule: AutomationRule, document: RuleDocument, against: Against) -> Trial:
    """Return what a rule would do.

    Raises:
        NotFound: no such tenant or conversation.
        InvalidInput: its trigger does not wait for the event that is given.
    """
    zone, now = (await require_tenant(session)).timezone, utcnow()
    happenings = await _happenings(session, rule, document, against, now)
    supposed = against.event.fields if against.event else {}
    facts = [replace(known, fields={**known.fields, **supposed}) for known in await gather(session, happenings)]
    firings = [Firing(Live(rule, document), *pair) for pair in zip(happenings, facts, strict=True)]
    matching_ones = [one for one in firings if matching.applies(one.rule, one.happening, one.facts)]
    # What is past begins with a clean slate; what happens now is held against what the rule has really done.
    brakes = await matching.brakes(session, [one.rule for one in firings], happenings if against.event else [], zone)
    held_back = _held_back(matching_ones, brakes)
    texts = await CannedTexts.of(session, [document])
    rendering = Rendering(texts, rule, document, (await current_policy(session)).default_language)
    others = [one for one in firings if one.happening.key not in held_back]
    shown = [*matching_ones, *others][:_SHOWN]
    return Trial(
        considered=len(firings),
        matched=len(matching_ones),
        would_run=sum(why is None for why in held_back.values()),
        truncated=len(firings) >= _MOST,
        next_times=_times(document, zone, now),
        tried=[await _tried(rendering, one, held_back) for one in shown],
    )


async def try_saved_rules(session: TenantReader, event: GivenEvent, brand_id: UUID | None) -> Trial:
    """Return which of the tenant's saved rules an event would start, and what they would do.

    As many statements for many rules as for one.

    Raises:
        NotFound: no such tenant.
    """
    zone, now = (await require_tenant(session)).timezone, utcnow()
    payload = event.payload if brand_id is None else {"brand_id": str(brand_id), **event.payload}
    happening = Happening("trial", event.name, now, payload)
    known = (await gather(session, [happening]))[0]
    facts = replace(known, fields={**known.fields, **event.fields})
    saved = [live for row in await rules.on_events(session) if (live := matching.read_rule(row)) is not None]
    waiting = [live for live in saved if matching.waits_for(live, event.name)]
    firings = [Firing(live, happening, facts) for live in waiting if matching.applies(live, happening, facts)]
    brakes = await matching.brakes(session, [one.rule for one in firings], [happening], zone)
    held_back = [brakes.why_not(one, now) for one in firings]
    enabled = [one.rule.row.state == "active" for one in firings]
    shown = firings[:_SHOWN]
    texts = await CannedTexts.of(session, [one.rule.document for one in shown])
    language = (await current_policy(session)).default_language
    return Trial(
        considered=len(waiting),
        matched=len(firings),
        would_run=sum(on and why is None for on, why in zip(enabled, held_back, strict=True)),
        truncated=len(firings) > len(shown),
        next_times=[],
        tried=[],
        rules=[
            await _rule_tried(Rendering(texts, one.rule.row, one.rule.document, language), one, why)
            for one, why in zip(shown, held_back, strict=False)
        ],
    )


async def _rule_tried(rendering: Rendering, firing: Firing, why_not: str | None) -> RuleTried:
    row = firing.rule.row
    return RuleTried.model_validate({
        "rule_id": row.id,
        "name": row.name,
        "brand_id": row.brand_id,
        "enabled": row.state == "active",
        "held_back_by": why_not,
        "comparisons": [asdict(one) for one in comparisons(firing.rule.document.conditions, firing.facts)],
        "actions": await rendering.actions(firing.happening, firing.facts),
    })  # fmt: skip


def _held_back(firings: Sequence[Firing], brakes: Brakes) -> dict[str, str | None]:
    """Say of each happening what would hold the rule back, one after the other as they happened."""
    found: dict[str, str | None] = {}
    for firing in sorted(firings, key=lambda one: one.happening.at):
        moment = firing.happening.at
        why_not = found[firing.happening.key] = brakes.why_not(firing, moment)
        if why_not is None:
            brakes.note(firing, moment)
    return found


def unsaved(tenant_id: UUID, brand_id: UUID | None, document: RuleDocument) -> AutomationRule:
    """Return a rule that is in no session."""
    return AutomationRule(tenant_id=tenant_id, id=UUID(int=0), brand_id=brand_id, version=1, **as_columns(document))


async def _happenings(
    session: TenantReader, rule: AutomationRule, document: RuleDocument, against: Against, now: datetime
) -> list[Happening]:
    trigger = document.trigger
    if against.conversation_id and not await repository.knows_conversation(session, against.conversation_id):
        raise NotFound("no such conversation")
    match trigger:
        case OnEvent():
            return await _events(session, trigger, against, now)
        case OnSilence():
            return await _silent(session, rule, trigger, against, now)
        case OnTime():
            return [Happening("trial", "cron", now)]


async def _events(session: TenantReader, trigger: OnEvent, against: Against, now: datetime) -> list[Happening]:
    if against.event:
        if against.event.name not in trigger.names:
            raise InvalidInput.field("event.name", f"the rule waits for {', '.join(trigger.names)}")
        return [Happening("trial", against.event.name, now, against.event.payload)]
    since = now - timedelta(days=3650 if against.conversation_id else against.days or _DAYS)
    rows = await repository.past_events(
        session, trigger.names, since=since, conversation_id=against.conversation_id, limit=_MOST
    )
    return [Happening(f"event:{row[0]}", row[1], row[3], row[2], None) for row in rows]


async def _silent(
    session: TenantReader, rule: AutomationRule, trigger: OnSilence, against: Against, now: datetime
) -> list[Happening]:
    if against.event:
        raise InvalidInput.field("event", "the rule waits for silence, not for an event")
    found = await firings.silent_conversations(
        session, waiting_for=trigger.waiting_for, since=now - timedelta(days=against.days or _DAYS),
        until=now - timedelta(minutes=trigger.minutes), brand_id=rule.brand_id, limit=_MOST,
    )  # fmt: skip
    return [
        Happening(
            f"silence:{conversation}:{seq}", "silence", at + timedelta(minutes=trigger.minutes),
            {"conversation_id": str(conversation), "message_id": str(message), "minutes": trigger.minutes},
        )
        for conversation, message, seq, at in found
        if against.conversation_id in (None, conversation)
    ]  # fmt: skip


async def _tried(rendering: Rendering, firing: Firing, held_back: Mapping[str, str | None]) -> Tried:
    happening, matches = firing.happening, firing.happening.key in held_back
    return Tried.model_validate({
        "event": happening.name,
        "at": happening.at,
        "conversation_id": happening.conversation_id,
        "matches": matches,
        "held_back_by": held_back.get(happening.key),
        "comparisons": [asdict(one) for one in comparisons(firing.rule.document.conditions, firing.facts)],
        "actions": await rendering.actions(happening, firing.facts) if matches else [],
    })  # fmt: skip


def _times(document: RuleDocument, zone: str, now: datetime) -> Sequence[datetime]:
    found: list[datetime] = []
    moment: datetime | None = now
    while isinstance(document.trigger, OnTime) and moment is not None and len(found) < _TIMES:
        moment = next_time(document.trigger, zone, moment)
        found += [moment] if moment else []
        moment = moment + timedelta(seconds=1) if moment else None
    return found
