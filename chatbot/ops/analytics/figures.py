"""The figures of one day, or of many added up."""

from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import date
from typing import NamedTuple
from uuid import UUID

from chatbot.ops.analytics.histogram import percentile


class Cell(NamedTuple):
    """What figures are kept by; None: what belongs to no brand or channel, such as a policy that was tried."""

    day: date
    brand_id: UUID | None
    channel_type: str | None


@dataclass(slots=True)
class Figures:
    """What was counted.

    Attributes:
        conversations: begun.
        messages: of visitors, agents and the bot.
        answered_by_bot: replies that rest on the knowledge.
        no_answer: questions for which no evidence was found.
        handed_over: wishes for a person, of visitors, by a rule, or for want of an answer.
        closed: conversations that were closed.
        gaps: unanswered questions that were asked for the first time.
        cost_micros: millionths of a US dollar.
        first_response: waits from the wish for a person to that person's first message.
        handoff_wait: waits from the wish for a person until one took the conversation.
        csat_points: the scores added up.
    """

    conversations: int = 0
    messages: int = 0
    answered_by_bot: int = 0
    no_answer: int = 0
    handed_over: int = 0
    closed: int = 0
    gaps: int = 0
    tokens: int = 0
    cost_micros: int = 0
    csat_count: int = 0
    csat_points: int = 0
    first_response: Counter[int] = field(default_factory=Counter)
    handoff_wait: Counter[int] = field(default_factory=Counter)

    def add(self, other: "Figures") -> None:
        """Add another's figures to these."""
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            setattr(self, each.name, mine + theirs)

    def summary(self) -> dict[str, int | float | None]:
        """Return what a report shows of them."""
        return {
            "conversations": self.conversations,
            "messages": self.messages,
            "answered_by_bot": self.answered_by_bot,
            "no_answer": self.no_answer,
            "handed_over": self.handed_over,
            "closed": self.closed,
            "first_response_seconds_p50": percentile(self.first_response, 0.5),
            "first_response_seconds_p95": percentile(self.first_response, 0.95),
            "handoff_wait_seconds_p50": percentile(self.handoff_wait, 0.5),
            "csat_average": round(self.csat_points / self.csat_count, 2) if self.csat_count else None,
            "csat_count": self.csat_count,
            "tokens": self.tokens,
            "cost_usd": self.cost_micros / 1_000_000,
            "gaps": self.gaps,
        }
