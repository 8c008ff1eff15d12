"""Budgets per tenant and UTC day, and the ledger of one turn's model calls."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from uuid import UUID

from chatbot.core.metrics import LLM_COST, LLM_REQUESTS, LLM_TOKENS, tenant_label
from chatbot.llm.errors import BudgetSpent
from chatbot.llm.schemas import CallRecord, Outcome, Usage


@dataclass(frozen=True, slots=True)
class Budget:
    """What a tenant may spend in one UTC day; None is no limit, 0 is nothing. Money in millionths of a US dollar."""

    tokens_per_day: int | None = None
    cost_micros_per_day: int | None = None

    @property
    def limited(self) -> bool:
        """Whether anything is limited at all."""
        return self.tokens_per_day is not None or self.cost_micros_per_day is not None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a tenant has spent in one UTC day."""

    tokens: int = 0
    cost_micros: int = 0


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars per million tokens (so: millionths of a dollar per token)."""

    input_per_million: float = 0.0
    output_per_million: float = 0.0

    def cost_micros(self, usage: Usage) -> int:
        """Return the price of a call in millionths of a US dollar, rounded up."""
        cost = usage.input_tokens * self.input_per_million + usage.output_tokens * self.output_per_million
        return ceil(round(cost, 6))


@dataclass(slots=True)
class Ledger:
    """The model calls of one turn, and what its tenant may still spend.

    The turn opens it with what was spent before (`open_ledger`), hands it to every call, and books it in its last
    transaction (`record_usage`), whatever became of the calls: a cancelled one is in it too.

    Turns that run at the same moment do not see one another's calls, so a budget may be passed by the calls that are
    under way when it is used up, never by more.
    """

    tenant_id: UUID
    budget: Budget = field(default_factory=Budget)
    spent_before: Spent = field(default_factory=Spent)
    calls: list[CallRecord] = field(default_factory=list)

    @property
    def spent(self) -> Spent:
        """What the tenant has spent today, this turn included."""
        tokens = self.spent_before.tokens + sum(call.usage.total for call in self.calls)
        cost = self.spent_before.cost_micros + sum(call.cost_micros for call in self.calls)
        return Spent(tokens, cost)

    def check(self, expected: Usage, prices: Prices) -> None:
        """Refuse a call whose prompt alone is more than what is left.

        Raises:
            BudgetSpent: naming the limit.
        """
        spent, budget = self.spent, self.budget
        if budget.tokens_per_day is not None and spent.tokens + expected.total > budget.tokens_per_day:
            raise BudgetSpent(f"tokens_per_day: {spent.tokens} of {budget.tokens_per_day} tokens are spent")
        limit = budget.cost_micros_per_day
        if limit is not None and spent.cost_micros + max(1, prices.cost_micros(expected)) > limit:
            raise BudgetSpent(f"cost_micros_per_day: {spent.cost_micros} of {limit} micro-dollars are spent")

    def add(self, call: CallRecord) -> None:
        """Enter a call and count it in the metrics."""
        self.calls.append(call)
        count_call(call)
        label = tenant_label(self.tenant_id)
        LLM_TOKENS.labels(label, "input").inc(call.usage.input_tokens)
        LLM_TOKENS.labels(label, "output").inc(call.usage.output_tokens)
        LLM_COST.labels(label).inc(call.cost_micros / 1e6)


def count_call(call: CallRecord) -> None:
    """Count a call's outcome."""
    LLM_REQUESTS.labels(call.purpose.value, call.outcome.value).inc()


def count_refusal(purpose: str, outcome: Outcome) -> None:
    """Count a call that was not made: the budget is spent, the circuit open."""
    LLM_REQUESTS.labels(purpose, outcome.value).inc()


def total(calls: Sequence[CallRecord]) -> Spent:
    """Add calls up."""
    return Spent(sum(call.usage.total for call in calls), sum(call.cost_micros for call in calls))
