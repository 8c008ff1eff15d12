"""Actions: what a rule does, in order; each is one step of a job."""

import re
from typing import Annotated, Any, Literal, Self
from uuid import UUID

import orjson
from pydantic import Field, StringConstraints, model_validator

from chatbot.automation.rules.conditions import Name, Part
from chatbot.automation.rules.templates import unknown_placeholders
from chatbot.core.schemas import HttpAddress
from chatbot.identity.policies.schemas import Language

MAX_ACTIONS = 20
_MAX_BODY_BYTES = 16 * 1024

Text = Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ByLanguage = Annotated[dict[Language, Text], Field(min_length=1, max_length=50)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class Action(Part):
    """Base of actions: placeholders must name something, so that a rule fails when it is saved and not at night."""

    @model_validator(mode="after")
    def _placeholders_are_known(self) -> Self:
        unknown = unknown_placeholders(self.model_dump(mode="json"))
        if unknown:
            raise ValueError(f"{{{{{unknown[0]}}}}} names no field, variable or value of the event")
        return self


class Reply(Action):
    """Say something in the conversation, in its language or the tenant's default one."""

    type: Literal["reply"]
    text: Text | ByLanguage


class CannedReply(Action):
    """Say a canned reply."""

    type: Literal["canned_reply"]
    canned_reply_id: UUID


class Webhook(Action):
    """POST a signed body to an address; without a body, the event and what is known of its conversation.

    The request carries the step's idempotency key: sent again, it is the same.
    """

    type: Literal["webhook"]
    url: Annotated[str, StringConstraints(max_length=2_000), HttpAddress]
    body: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _small(self) -> Self:
        if self.body is not None and len(orjson.dumps(self.body)) > _MAX_BODY_BYTES:
            raise ValueError(f"body: at most {_MAX_BODY_BYTES} bytes as JSON are accepted")
        if "{{" in self.url:
            raise ValueError("url: takes no placeholders, so that no text of a visitor chooses an address")
        return self


class RaiseTicket(Action):
    """Open a ticket with the conversation's transcript."""

    type: Literal["ticket"]
    subject: Line
    problem: Text
    priority: Literal["low", "normal", "high", "urgent"] = "normal"


class GiveTo(Action):
    """Give the conversation to an agent; null gives it back to the queue."""

    type: Literal["assign"]
    agent_id: UUID | None


class ChangeTags(Action):
    """Add and remove tags of the conversation."""

    type: Literal["tag"]
    add: Annotated[tuple[Tag, ...], Field(max_length=20)] = ()
    remove: Annotated[tuple[Tag, ...], Field(max_length=20)] = ()


class HandOver(Action):
    """Ask for a person."""

    type: Literal["hand_over"]
    reason: Line = "a rule"


class AddNote(Action):
    """Leave a note for agents; visitors never see it."""

    type: Literal["note"]
    text: Text


ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")
"""What a mail can be sent to."""


class SendEmail(Action):
    """Send an e-mail through the brand's e-mail channel."""

    type: Literal["email"]
    to: Annotated[str, StringConstraints(min_length=3, max_length=320)]
    subject: Line
    text: Text


class Close(Action):
    """Close the conversation."""

    type: Literal["close"]


class Wait(Action):
    """Go on later; what the conversation is like then is what the next steps see."""

    type: Literal["wait"]
    minutes: Annotated[int, Field(ge=1, le=43_200)]


class SetVariable(Action):
    """Remember a value in the conversation, for conditions and texts of later rules."""

    type: Literal["set_variable"]
    name: Name
    value: Annotated[str, StringConstraints(max_length=1_000)]


AnyAction = Annotated[
    Reply
    | CannedReply
    | Webhook
    | RaiseTicket
    | GiveTo
    | ChangeTags
    | HandOver
    | AddNote
    | SendEmail
    | Close
    | Wait
    | SetVariable,
    Field(discriminator="type"),
]
Actions = Annotated[tuple[AnyAction, ...], Field(min_length=1, max_length=MAX_ACTIONS)]

WITHOUT_CONVERSATION = frozenset({"webhook", "email", "ticket", "wait"})
"""Types of actions that need no conversation: all that a rule on a schedule may do."""

ACTION_TYPES = (
    "reply", "canned_reply", "webhook", "ticket", "assign", "tag", "hand_over", "note", "email", "close", "wait",
    "set_variable",
)  # fmt: skip
"""Every type of action."""
