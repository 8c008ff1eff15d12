"""What goes to a model and what comes back."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Purpose(StrEnum):
    """What a model call is for; each call is tagged with one."""

    ANSWER = "answer"
    CONDENSE = "condense"
    LANGUAGE = "language"
    EMBED = "embed"


class Outcome(StrEnum):
    """How a call ended."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    RATE_LIMITED = "rate_limited"
    SILENT = "silent"
    STALLED = "stalled"
    CUT = "cut"
    MALFORMED = "malformed"
    EMPTY = "empty"
    REJECTED = "rejected"
    MISCONFIGURED = "misconfigured"
    BUDGET_SPENT = "budget_spent"
    CIRCUIT_OPEN = "circuit_open"


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A prompt and how to answer it.

    Attributes:
        messages: the prompt, in order.
        purpose: what the call is for.
        model: the model's name; None takes `OPENAI_MODEL`.
        temperature: 0 to 2; models that do not take one are asked without.
        max_tokens: the most tokens the answer may have.
    """

    messages: tuple[ChatMessage, ...]
    purpose: Purpose
    model: str | None = None
    temperature: float = 0.2
    max_tokens: int = 800

    def estimated_input_tokens(self) -> int:
        """Estimate the prompt's tokens; four more a message for its frame."""
        return sum(estimate_tokens(message.content) + 4 for message in self.messages)


@dataclass(frozen=True, slots=True)
class ChatDelta:
    """A piece of the answer. Pieces that arrived together come as one."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call.

    Attributes:
        input_tokens: tokens of the prompt.
        output_tokens: tokens of the answer.
        estimated: counted by us because the provider did not say.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False

    @property
    def total(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class ChatResult:
    """A finished answer: its whole text, who gave it, why it ended (`stop`, `length`, …) and its tokens."""

    text: str
    model: str
    finish_reason: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One model call as it is booked. Money in millionths of a US dollar."""

    purpose: Purpose
    model: str
    outcome: Outcome
    usage: Usage = field(default_factory=Usage)
    cost_micros: int = 0
    milliseconds: int = 0


def estimate_tokens(text: str) -> int:
    """Estimate tokens as a quarter of the UTF-8 bytes: 4 letters of English, 2 of Persian."""
    return (len(text.encode("utf-8", "surrogatepass")) + 3) // 4
