"""Bodies of the rules' API."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from chatbot.automation.catalogue import EVENTS
from chatbot.automation.rules.actions import WITHOUT_CONVERSATION, Actions
from chatbot.automation.rules.conditions import All, Conditions
from chatbot.automation.rules.limits import Limits
from chatbot.automation.rules.triggers import OnEvent, OnTime, Trigger
from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp
from chatbot.identity.tenants.schemas import Name

State = Literal["active", "paused"]
Description = Annotated[str, StringConstraints(max_length=2_000)]


class RuleDocument(RequestBody):
    """What a rule is made of."""

    trigger: Trigger
    conditions: Conditions = All(all=())
    actions: Actions
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _fits_its_trigger(self) -> Self:
        """A rule that no conversation starts cannot act in one."""
        if _in_conversation(self.trigger):
            return self
        for number, action in enumerate(self.actions):
            if action.type not in WITHOUT_CONVERSATION:
                raise ValueError(f"actions.{number}: `{action.type}` needs a conversation, and this trigger has none")
        return self


class CreateRule(RuleDocument):
    """A new rule of a tenant, or of one of its brands."""

    tenant_id: UUID
    brand_id: UUID | None = None
    name: Name
    description: Description = ""
    state: State = "active"


class ChangeRule(RequestBody):
    """What changes of a rule; what is left out stays. With `version`, only while that is still the newest."""

    name: Name | None = None
    description: Description | None = None
    trigger: Trigger | None = None
    conditions: Conditions | None = None
    actions: Actions | None = None
    limits: Limits | None = None
    version: Annotated[int, Field(ge=1)] | None = None


class RuleView(ResponseBody):
    """A rule as it is now."""

    id: UUID
    tenant_id: UUID
    brand_id: UUID | None
    name: str
    description: str
    state: State
    paused_because: str | None
    trigger: dict[str, Any]
    conditions: dict[str, Any]
    actions: list[dict[str, Any]]
    limits: dict[str, Any]
    version: int
    created_by: str
    created_at: Timestamp
    updated_at: Timestamp
    next_fire_at: Timestamp | None
    last_fired_at: Timestamp | None


class EventKindView(ResponseBody):
    """An event that rules may wait for: the keys of its payload in words, and as a JSON Schema."""

    name: str
    meaning: str
    payload: dict[str, str]
    payload_schema: dict[str, Any]
    version: int


class Vocabulary(ResponseBody):
    """What rules are made of: for editors."""

    events: list[EventKindView]
    fields: dict[str, str]
    actions: list[str]


def _in_conversation(trigger: Trigger) -> bool:
    match trigger:
        case OnTime():
            return False
        case OnEvent(names=names):
            return all(EVENTS[name].of_conversation for name in names)
    return True
