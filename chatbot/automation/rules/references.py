"""What a rule names must be there when it is saved: values of its events, agents, canned replies, addresses."""

import re
from collections.abc import Iterator
from typing import Any

from chatbot.automation.catalogue import EVENTS
from chatbot.automation.rules.actions import ADDRESS, AnyAction, CannedReply, GiveTo, SendEmail
from chatbot.automation.rules.conditions import named_in
from chatbot.automation.rules.schemas import RuleDocument
from chatbot.automation.rules.templates import placeholders
from chatbot.automation.rules.triggers import OnEvent, OnSilence, Trigger
from chatbot.core.errors import InvalidInput, NotFound
from chatbot.db.sessions import TenantReader
from chatbot.helpdesk.canned import service as canned
from chatbot.helpdesk.tickets.repository import assignable

_OF_EVENT = re.compile(r"event\.(.+)")
_OF_SILENCE = ("conversation_id", "message_id", "minutes")


async def require_known(session: TenantReader, document: RuleDocument) -> None:
    """Check what a rule names.

    Raises:
        InvalidInput: a value that no event of its trigger carries, no such agent or canned reply, no address.
    """
    carried = _carried(document.trigger)
    for place, name in _named(document):
        found = _OF_EVENT.fullmatch(name)
        if found and found.group(1) not in carried:
            values = ", ".join(f"event.{key}" for key in carried) or "none"
            raise InvalidInput.field(place, f"{name!r} is no value of what starts the rule; these are: {values}")
    for number, action in enumerate(document.actions):
        await _require_there(session, f"actions.{number}", action)


async def _require_there(session: TenantReader, place: str, action: AnyAction) -> None:
    if isinstance(action, SendEmail) and "{{" not in action.to and not ADDRESS.fullmatch(action.to):
        raise InvalidInput.field(f"{place}.to", "must be an address, or a placeholder such as {{visitor.email}}")
    if isinstance(action, GiveTo) and action.agent_id and not await assignable(session, action.agent_id):
        raise InvalidInput.field(f"{place}.agent_id", "no such agent")
    if isinstance(action, CannedReply):
        try:
            await canned.require(session, action.canned_reply_id)
        except NotFound:
            raise InvalidInput.field(f"{place}.canned_reply_id", "no such canned reply") from None


def _carried(trigger: Trigger) -> list[str]:
    match trigger:
        case OnEvent(names=names):
            return list(dict.fromkeys(key for name in names for key in EVENTS[name].payload))
        case OnSilence():
            return list(_OF_SILENCE)
    return []


def _named(document: RuleDocument) -> Iterator[tuple[str, Any]]:
    """Where a rule names a field, a variable or a value of its event, and which."""
    for name in named_in(document.conditions):
        yield "conditions", name
    for number, action in enumerate(document.actions):
        for name in placeholders(action.model_dump(mode="json")):
            yield f"actions.{number}", name
