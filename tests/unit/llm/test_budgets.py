"""Budgets, prices, and whether smart mode is on."""

import pytest
from pydantic import SecretStr

from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.llm.budgets import Budget, Ledger, Prices, Spent, total
from chatbot.llm.errors import BudgetSpent
from chatbot.llm.schemas import CallRecord, Outcome, Purpose, Usage
from chatbot.llm.service import available

PRICES = Prices(0.15, 0.60)
SMALL = Usage(100, 1)


def call(tokens: int) -> CallRecord:
    usage = Usage(tokens, 0)
    return CallRecord(Purpose.ANSWER, "m", Outcome.COMPLETED, usage, PRICES.cost_micros(usage))


def test_prices_are_millionths_of_a_dollar_rounded_up() -> None:
    assert PRICES.cost_micros(Usage(1_000_000, 1_000_000)) == 750_000
    assert PRICES.cost_micros(Usage(1, 0)) == 1
    assert PRICES.cost_micros(Usage()) == 0
    assert Prices().cost_micros(Usage(5, 5)) == 0


def test_no_limit_lets_all_through() -> None:
    Ledger(new_id(), spent_before=Spent(10**12, 10**12)).check(SMALL, PRICES)


def test_tokens_of_this_turn_count_too() -> None:
    ledger = Ledger(new_id(), Budget(tokens_per_day=1000), Spent(500, 0))
    ledger.check(SMALL, PRICES)
    ledger.add(call(400))
    assert ledger.spent == Spent(900, 60)
    with pytest.raises(BudgetSpent, match="tokens_per_day: 900 of 1000"):
        ledger.check(SMALL, PRICES)


def test_money() -> None:
    budget = Budget(cost_micros_per_day=100)
    Ledger(new_id(), budget, Spent(0, 80)).check(SMALL, PRICES)
    with pytest.raises(BudgetSpent, match="cost_micros_per_day: 95 of 100"):
        Ledger(new_id(), budget, Spent(0, 95)).check(SMALL, PRICES)


@pytest.mark.parametrize("budget", [Budget(tokens_per_day=0), Budget(cost_micros_per_day=0)])
def test_a_budget_of_nothing_allows_nothing(budget: Budget) -> None:
    with pytest.raises(BudgetSpent):
        Ledger(new_id(), budget).check(Usage(1, 1), Prices())


def test_total() -> None:
    assert total([call(100), call(200)]) == Spent(300, 45)


@pytest.mark.parametrize(
    ("changes", "tenant", "expected"),
    [
        ({}, True, False),
        ({"openai_api_key": SecretStr("k")}, True, True),
        ({"openai_api_key": SecretStr(" ")}, True, False),
        ({"openai_api_key": SecretStr("k")}, False, False),
        ({"openai_api_key": SecretStr("k"), "smart_mode_enabled": False}, True, False),
        ({"openai_base_url": "http://127.0.0.1:11434/v1"}, True, True),
        ({"openai_base_url": "https://api.openai.com/v1/"}, True, False),
    ],
)
def test_smart_mode_needs_a_model(changes: dict[str, object], tenant: bool, expected: bool) -> None:
    settings = Settings.model_construct(**(Settings.model_construct().model_dump() | changes))
    assert available(settings, tenant_smart_mode=tenant) is expected
