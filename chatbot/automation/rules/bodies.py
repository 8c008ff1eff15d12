"""What webhooks tell: a rule's own body, or what has happened with what is known of its conversation."""

from collections.abc import Mapping
from typing import Any

from chatbot.automation.catalogue import EVENTS
from chatbot.automation.rules.actions import Webhook
from chatbot.automation.rules.facts import Facts
from chatbot.automation.rules.templates import fill_all
from chatbot.db.models import AutomationRule


def body_of(action: Webhook, rule: AutomationRule, event: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    """Return the body of a webhook.

    Args:
        event: `name` and `at` of what has started the rule.
    """
    if action.body is not None:
        filled: dict[str, Any] = fill_all(action.body, facts)
        return filled
    kind = EVENTS.get(str(event.get("name")))
    return {
        "type": event.get("name"),
        **({"version": kind.version} if kind else {}),
        "timestamp": event.get("at"),
        **({"rule": {"id": str(rule.id), "name": rule.name}} if rule.kind == "rule" else {}),
        "data": dict(facts.event),
        "about": {name: value for name, value in facts.fields.items() if value is not None},
    }
