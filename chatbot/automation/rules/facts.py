"""What a rule may ask about and write into its texts: fields with their kinds, and their values at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["text", "choice", "tags", "number", "flag"]

FIELDS: Mapping[str, Kind] = {
    "message.text": "text",
    "message.language": "choice",
    "message.role": "choice",
    "message.mode": "choice",
    "channel.type": "choice",
    "channel.id": "choice",
    "channel.name": "text",
    "brand.id": "choice",
    "brand.name": "text",
    "conversation.id": "choice",
    "conversation.state": "choice",
    "conversation.tags": "tags",
    "conversation.messages": "number",
    "conversation.age_minutes": "number",
    "conversation.language": "choice",
    "visitor.name": "text",
    "visitor.email": "text",
    "ticket.number": "number",
    "ticket.status": "choice",
    "ticket.priority": "choice",
    "ticket.subject": "text",
    "hours.open": "flag",
}
"""Every field of a rule, and what kind of value it holds. An event that knows no such thing leaves it null."""


def is_value(name: str, value: Any) -> bool:
    """Whether a field can have a value."""
    match FIELDS.get(name):
        case "text" | "choice":
            return isinstance(value, str)
        case "tags":
            return isinstance(value, list) and all(isinstance(tag, str) for tag in value)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "flag":
            return isinstance(value, bool)
    return False


@dataclass(frozen=True, slots=True)
class Facts:
    """Values at one moment.

    Attributes:
        fields: by the names of `FIELDS`; one that is missing is null.
        variables: what rules have set in the conversation.
        event: the payload of the event that started the rule.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    event: Mapping[str, Any] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        """Return what a placeholder or a condition names: a field, `variable.<name>` or `event.<key>`."""
        head, _, rest = name.partition(".")
        if head == "variable":
            return self.variables.get(rest)
        if head == "event":
            return self.event.get(rest)
        return self.fields.get(name)
