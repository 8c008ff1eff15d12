"""Budgets per tenant, UTC day and month, and the ledger of one turn's model calls."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from uuid import UUID

from chatbot.core.metrics import LLM_COST, LLM_REQUESTS, LLM_TOKENS, begin_at_zero, tenant_label
from chatbot.identity.policies.schemas import Budgets
from chatbot.llm.errors import BudgetSpent
from chatbot.llm.schemas import CallRecord, Outcome, Purpose, Usage


@dataclass(frozen=True, slots=True)
class Spent:
    """What a tenant has spent in a UTC day or month. Money in millionths of a US dollar."""

    tokens: int = 0
    cost_micros: int = 0

    def plus(self, other: "Spent") -> "Spent":
        """Return both added up."""
        return Spent(self.tokens + other.tokens, self.cost_micros + other.cost_micros)


@dataclass(frozen=True, slots=True)
class Limit:
    """How much may be spent of one thing in one span of time: `tokens_per_day`, `cost_micros_per_month`, …"""

    name: str
    most: int
    spent: int

    @property
    def share(self) -> float:
        """How much of it is used: 1 is all; a limit of 0 is used up from the start."""
        return self.spent / self.most if self.most else 1.0


@dataclass(frozen=True, slots=True)
class Budget:
    """What a tenant may spend in one UTC day and month; None is no limit, 0 is nothing.

    Attributes:
        degrade_at: the share of any limit from which on `degrade_model` answers, or (None) no model at all.
    """

    tokens_per_day: int | None = None
    cost_micros_per_day: int | None = None
    tokens_per_month: int | None = None
    cost_micros_per_month: int | None = None
    degrade_at: float | None = None
    degrade_model: str | None = None

    @property
    def limited(self) -> bool:
        """Whether anything is limited at all."""
        return any(True for _ in self.limits(Spent(), Spent()))

    def limits(self, day: Spent, month: Spent) -> Iterator[Limit]:
        """Give every limit that there is, with what was spent of it."""
        for name, most, spent in (
            ("tokens_per_day", self.tokens_per_day, day.tokens),
            ("cost_micros_per_day", self.cost_micros_per_day, day.cost_micros),
            ("tokens_per_month", self.tokens_per_month, month.tokens),
            ("cost_micros_per_month", self.cost_micros_per_month, month.cost_micros),
        ):
            if most is not None:
                yield Limit(name, most, spent)


def budget_of(limits: Budgets) -> Budget:
    """Return a policy's limits as model calls are held to them."""
    at = limits.degrade_percent
    return Budget(
        limits.tokens_per_day, _micros(limits.usd_per_day), limits.tokens_per_month, _micros(limits.usd_per_month),
        None if at is None else at / 100, limits.degrade_model,
    )  # fmt: skip


def _micros(usd: float | None) -> int | None:
    return None if usd is None else round(usd * 1_000_000)


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
    month_before: Spent = field(default_factory=Spent)
    calls: list[CallRecord] = field(default_factory=list)

    @property
    def spent(self) -> Spent:
        """What the tenant has spent today, this turn included."""
        return self.spent_before.plus(total(self.calls))

    @property
    def degraded(self) -> bool:
        """Whether so much is spent that the cheaper way is taken."""
        at = self.budget.degrade_at
        return at is not None and any(limit.share >= at for limit in self._limits())

    def check(self, expected: Usage, prices: Prices) -> None:
        """Refuse a call whose prompt alone is more than what is left.

        Raises:
            BudgetSpent: naming the limit.
        """
        if self.degraded and self.budget.degrade_model is None:
            raise BudgetSpent("so much is spent that no model is asked any more")
        cost = max(1, prices.cost_micros(expected))
        for limit in self._limits():
            if limit.spent + (expected.total if limit.name.startswith("tokens") else cost) > limit.most:
                raise BudgetSpent(f"{limit.name}: {limit.spent} of {limit.most} are spent")

    def _limits(self) -> Iterator[Limit]:
        return self.budget.limits(self.spent, self.month_before.plus(total(self.calls)))

    def add(self, call: CallRecord) -> None:
        """Enter a call and count it in the metrics."""
        count_call(call)
        self.enter(call)

    def enter(self, call: CallRecord) -> None:
        """Enter a call whose outcome is counted already."""
        self.calls.append(call)
        label = tenant_label(self.tenant_id)
        LLM_TOKENS.labels(label, "input").inc(call.usage.input_tokens)
        LLM_TOKENS.labels(label, "output").inc(call.usage.output_tokens)
        LLM_COST.labels(label).inc(call.cost_micros / 1e6)


begin_at_zero(LLM_REQUESTS, Purpose, Outcome)


def count_call(call: CallRecord) -> None:
    """Count a call's outcome."""
    LLM_REQUESTS.labels(call.purpose.value, call.outcome.value).inc()


def count_refusal(purpose: str, outcome: Outcome) -> None:
    """Count a call that was not made: the budget is spent, the circuit open."""
    LLM_REQUESTS.labels(purpose, outcome.value).inc()


def total(calls: Sequence[CallRecord]) -> Spent:
    """Add calls up."""
    return Spent(sum(call.usage.total for call in calls), sum(call.cost_micros for call in calls))
