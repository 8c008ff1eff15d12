"""Bodies of trials: which happenings a rule is held against, and what it would do."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chatbot.automation.catalogue import EVENTS
from chatbot.automation.rules.facts import is_value
from chatbot.automation.rules.schemas import RuleDocument
from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp

HeldBackBy = Literal["cool_down", "per_conversation", "quiet_hours", "loop"]


class GivenEvent(RequestBody):
    """An event as if it happened now.

    Attributes:
        fields: what a rule may ask about, as if it were so, in place of what is known: `{"message.text": "Refund!"}`.
    """

    name: str
    payload: dict[str, Any] = Field(default_factory=dict)
    fields: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.name not in EVENTS:
            raise ValueError(f"name: must be one of {', '.join(sorted(EVENTS))}")
        wrong = [name for name, value in self.fields.items() if not is_value(name, value)]
        if wrong:
            raise ValueError(f"fields: {wrong[0]!r} is no field, or cannot have this value")
        return self


class Against(RequestBody):
    """What a rule is held against: a given event, a past conversation, or the last days. Nothing said is 7 days."""

    event: GivenEvent | None = None
    conversation_id: UUID | None = None
    days: Annotated[int, Field(ge=1, le=30)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if sum(value is not None for value in (self.event, self.conversation_id, self.days)) > 1:
            raise ValueError("event, conversation_id and days exclude one another")
        return self


class TestRule(Against):
    """A rule that is not saved, and what it is held against; without `rule`, an event and all rules that are saved.

    Attributes:
        brand_id: the brand that the rule is of; without `rule`, in which the event happens, where it does not say.
    """

    __test__ = False  # to pytest

    tenant_id: UUID
    brand_id: UUID | None = None
    rule: RuleDocument | None = None

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if self.rule is None and self.event is None:
            raise ValueError("rule: is needed, or an event to hold all saved rules against")
        return self


class ComparedView(ResponseBody):
    """One comparison: what was asked, and what was met."""

    about: str
    op: str
    wanted: Any
    was: Any
    holds: bool


class WouldDo(ResponseBody):
    """An action as it would run, with its texts filled in."""

    type: str
    rendered: dict[str, Any]


class Tried(ResponseBody):
    """One happening, and what the rule would do.

    Attributes:
        held_back_by: a limit of the rule that would stop it, though its conditions hold.
    """

    event: str
    at: Timestamp
    conversation_id: UUID | None
    matches: bool
    held_back_by: HeldBackBy | None
    comparisons: list[ComparedView]
    actions: list[WouldDo]


class RuleTried(ResponseBody):
    """A saved rule that an event starts, and what it would do.

    Attributes:
        enabled: it is active; one that rests would do nothing.
        held_back_by: as in `Tried`.
    """

    rule_id: UUID
    name: str
    brand_id: UUID | None
    enabled: bool
    held_back_by: HeldBackBy | None
    comparisons: list[ComparedView]
    actions: list[WouldDo]


class Trial(ResponseBody):
    """What a rule would have done; nothing was done. Of an event alone, what all saved rules would do.

    Attributes:
        considered: happenings that its trigger waits for; of an event alone, saved rules that wait for it.
        matched: of these, those for which its conditions hold.
        would_run: of these, those that no limit of the rule would hold back, one after the other as they happened; of
            saved rules, the enabled ones.
        truncated: there were more than were looked at, or more rules that match than are told.
        rules: of an event alone, the saved rules that match, in the order in which they run, at most 100.
        next_times: of a rule on a schedule: when it fires next.
        tried: matching ones first, at most 100. Conversations are as they are now, not as they were.
    """

    considered: int
    matched: int
    would_run: int
    truncated: bool
    next_times: list[Timestamp]
    tried: list[Tried]
    rules: list[RuleTried] = Field(default_factory=list)
