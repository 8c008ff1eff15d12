"""How a budget stands: each limit with its share, and the level that the tenant has reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from chatbot.core.clock import utcnow
from chatbot.db.sessions import TenantReader
from chatbot.identity.policies.schemas import Budgets
from chatbot.identity.policies.service import current_policy
from chatbot.llm.budgets import Limit, budget_of
from chatbot.llm.repository import spent_on

Level = Literal["ok", "warn", "degrade", "stop"]
_RISING: Sequence[Level] = ("ok", "warn", "degrade", "stop")


@dataclass(frozen=True, slots=True)
class Standing:
    """Limits as they stand on a UTC day; of no limit: none."""

    day: date
    policy: Budgets
    limits: tuple[Limit, ...]

    @property
    def level(self) -> Level:
        """The highest level that any limit has reached."""
        return max((self.level_of(limit) for limit in self.limits), key=_RISING.index, default="ok")

    def level_of(self, limit: Limit) -> Level:
        """The level of one limit."""
        percent = limit.share * 100
        if percent >= 100:
            return "stop"
        if self.policy.degrade_percent is not None and percent >= self.policy.degrade_percent:
            return "degrade"
        return "warn" if self.policy.warn_percent is not None and percent >= self.policy.warn_percent else "ok"

    def period(self, limit: Limit) -> date:
        """The first day of the span of time that a limit is for."""
        return self.day.replace(day=1) if limit.name.endswith("month") else self.day


async def standing(session: TenantReader) -> Standing:
    """Return how the session's tenant stands now."""
    policy, day = (await current_policy(session)).budgets, utcnow().date()
    spent, month = await spent_on(session, day)
    return Standing(day, policy, tuple(budget_of(policy).limits(spent, month)))
