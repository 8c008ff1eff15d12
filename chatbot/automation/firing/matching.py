"""Which rules a happening starts, and what holds one back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from chatbot.automation.firing import repository
from chatbot.automation.firing.facts import Happening
from chatbot.automation.rules.conditions import holds
from chatbot.automation.rules.facts import Facts
from chatbot.automation.rules.schemas import RuleDocument
from chatbot.automation.rules.service import document_of
from chatbot.automation.rules.triggers import OnEvent
from chatbot.core import correlation
from chatbot.core.logging import get_logger
from chatbot.db.models import AutomationRule
from chatbot.db.sessions import TenantReader

log = get_logger(__name__)

MAX_CHAIN = 5
"""Times that one rule fires because of what itself has done: a rule may not drive itself. What comes from outside
under one id (a client that always names the same, a provider that sends much at once) is counted once."""


@dataclass(frozen=True, slots=True)
class Live:
    """A rule that is on, with its document read."""

    row: AutomationRule
    document: RuleDocument


def read_rule(row: AutomationRule) -> Live | None:
    """Return a rule with its document read; None: it is of an earlier release and not accepted any more."""
    try:
        return Live(row, document_of(row))
    except ValidationError as error:
        log.warning(
            "a rule of an earlier release is not accepted any more", rule=str(row.id), problems=str(error)[:200]
        )
        return None


def waits_for(rule: Live, name: str) -> bool:
    """Whether a rule waits for events of this name."""
    trigger = rule.document.trigger
    return isinstance(trigger, OnEvent) and name in trigger.names


@dataclass(frozen=True, slots=True)
class Firing:
    """A rule that a happening starts."""

    rule: Live
    happening: Happening
    facts: Facts


@dataclass(slots=True)
class Brakes:
    """What limits rules: how often they fired before, and by this batch so far.

    Attributes:
        fired: by rule and conversation, how often and when last.
        chained: rules, each with a correlation id under which it fired.
    """

    zone: str
    fired: dict[tuple[UUID, UUID], tuple[int, datetime]] = field(default_factory=dict)
    chained: set[tuple[UUID, str]] = field(default_factory=set)

    def why_not(self, firing: Firing, now: datetime) -> str | None:
        """Say what holds a firing back; None: nothing does."""
        limits, rule = firing.rule.document.limits, firing.rule.row
        before = correlation.line(firing.happening.correlation_id or "")[:-1]
        chain = sum((rule.id, each) in self.chained for each in before)
        if chain >= MAX_CHAIN and rule.kind == "rule":  # a webhook of its own changes nothing here
            return "loop"
        if limits.quiet_hours and limits.quiet_hours.at(now, self.zone):
            return "quiet_hours"
        conversation_id = firing.happening.conversation_id
        if conversation_id is None:
            return None
        times, last = self.fired.get((rule.id, conversation_id), (0, datetime.min.replace(tzinfo=now.tzinfo)))
        if limits.per_conversation is not None and times >= limits.per_conversation:
            return "per_conversation"
        if limits.cool_down_minutes is not None and now - last < timedelta(minutes=limits.cool_down_minutes):
            return "cool_down"
        return None

    def note(self, firing: Firing, now: datetime) -> None:
        """Count a firing."""
        rule, happening = firing.rule.row, firing.happening
        if happening.correlation_id:
            self.chained.add((rule.id, happening.correlation_id))
        if happening.conversation_id:
            place = (rule.id, happening.conversation_id)
            self.fired[place] = (self.fired.get(place, (0, now))[0] + 1, now)


async def brakes(session: TenantReader, rules: Sequence[Live], happenings: Sequence[Happening], zone: str) -> Brakes:
    """Return what limits these rules in these happenings, with two statements."""
    limited = [
        one.row.id
        for one in rules
        if one.document.limits.per_conversation is not None or one.document.limits.cool_down_minutes is not None
    ]
    conversations = {one.conversation_id for one in happenings if one.conversation_id}
    lines = {each for one in happenings if one.correlation_id for each in correlation.line(one.correlation_id)}
    return Brakes(
        zone,
        await repository.fired_in(session, limited, [each for each in conversations if each]),
        await repository.fired_by(session, [one.row.id for one in rules], lines),
    )


def applies(rule: Live, happening: Happening, facts: Facts) -> bool:
    """Whether a rule's conditions hold, in its own brand."""
    brand = rule.row.brand_id
    if brand is not None and str(facts.fields.get("brand.id") or happening.payload.get("brand_id")) != str(brand):
        return False
    return holds(rule.document.conditions, facts)


def as_job(firing: Firing, job_id: UUID) -> Mapping[str, Any]:
    """Return the row of a firing's job."""
    happening, rule = firing.happening, firing.rule.row
    conversation = firing.facts.fields.get("conversation.id")
    return {
        "id": str(job_id),
        "rule_id": str(rule.id),
        "rule_version": rule.version,
        "firing": happening.key,
        "event": {"name": happening.name, "at": happening.at.isoformat(), "payload": dict(happening.payload)},
        "conversation_id": conversation,
        "actions": rule.actions,
        "correlation_id": happening.correlation_id,
    }
