"""The circuit breaker on a clock of its own."""

import pytest
from prometheus_client import REGISTRY

from chatbot.llm.breaker import BreakerPolicy, Breakers, CircuitBreaker, CircuitState


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker("m", BreakerPolicy(), clock=clock)


def call(breaker: CircuitBreaker, *, fails: bool) -> None:
    permit = breaker.admit()
    assert permit is not None
    if fails:
        permit.failed()
    else:
        permit.succeeded()


def open_it(breaker: CircuitBreaker) -> None:
    for _ in range(5):
        call(breaker, fails=True)
    assert breaker.state is CircuitState.OPEN


def test_five_failures_in_a_row_open(breaker: CircuitBreaker) -> None:
    for _ in range(4):
        call(breaker, fails=True)
    assert breaker.state is CircuitState.CLOSED
    call(breaker, fails=True)
    assert breaker.state is CircuitState.OPEN
    assert breaker.admit() is None


def test_more_than_five_percent_open(breaker: CircuitBreaker) -> None:
    for i in range(59):
        call(breaker, fails=i in {10, 30})
    assert breaker.state is CircuitState.CLOSED
    call(breaker, fails=False)
    call(breaker, fails=True)  # 3 of 61 is 4.9%
    assert breaker.state is CircuitState.CLOSED
    call(breaker, fails=True)  # 4 of 62 is 6.5%
    assert breaker.state is CircuitState.OPEN


def test_one_failure_of_few_calls_says_nothing(breaker: CircuitBreaker) -> None:
    for i in range(8):
        call(breaker, fails=i == 3)
    assert breaker.state is CircuitState.CLOSED


def test_failures_older_than_five_minutes_do_not_count(breaker: CircuitBreaker, clock: Clock) -> None:
    for i in range(6):
        call(breaker, fails=i % 3 == 0)
    clock.now += 320
    for i in range(6):
        call(breaker, fails=i % 3 == 0)
    assert breaker.state is CircuitState.CLOSED
    call(breaker, fails=True)
    assert breaker.state is CircuitState.OPEN


def test_half_open_lets_one_probe_at_a_time_and_closes_after_two(breaker: CircuitBreaker, clock: Clock) -> None:
    open_it(breaker)
    clock.now += 29.9
    assert breaker.admit() is None
    clock.now += 0.1
    assert breaker.state is CircuitState.HALF_OPEN
    probe = breaker.admit()
    assert probe is not None
    assert breaker.admit() is None
    probe.succeeded()
    assert breaker.state is CircuitState.HALF_OPEN
    call(breaker, fails=False)
    assert breaker.state is CircuitState.CLOSED


def test_a_failed_probe_opens_again(breaker: CircuitBreaker, clock: Clock) -> None:
    open_it(breaker)
    clock.now += 30
    call(breaker, fails=True)
    assert breaker.state is CircuitState.OPEN
    clock.now += 29
    assert breaker.admit() is None


def test_an_abandoned_probe_frees_its_place(breaker: CircuitBreaker, clock: Clock) -> None:
    open_it(breaker)
    clock.now += 30
    probe = breaker.admit()
    assert probe is not None
    probe.abandoned()
    probe.succeeded()  # told already
    assert breaker.state is CircuitState.HALF_OPEN
    call(breaker, fails=False)
    call(breaker, fails=False)
    assert breaker.state is CircuitState.CLOSED


def test_a_call_from_before_the_opening_counts_no_more(breaker: CircuitBreaker, clock: Clock) -> None:
    old = breaker.admit()
    open_it(breaker)
    clock.now += 30
    probe = breaker.admit()
    assert old is not None
    assert probe is not None
    old.failed()
    assert breaker.state is CircuitState.HALF_OPEN
    assert breaker.admit() is None  # the probe is still on its way


def test_a_pause_ends_and_is_bounded(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.pause(3)
    breaker.pause(1)
    assert breaker.paused_for() == 3
    clock.now += 3
    assert breaker.paused_for() == 0
    breaker.pause(10**9)
    assert breaker.paused_for() == 600


def test_the_state_is_a_metric_with_bounded_labels(clock: Clock) -> None:
    breakers = Breakers(clock=clock)
    for i in range(600):
        breakers.of("http://e/v1", f"gauge-{i}")
    open_it(breakers.of("http://e/v1", "gauge-0"))
    assert REGISTRY.get_sample_value("llm_circuit_state", {"model": "gauge-0"}) == 2
    assert REGISTRY.get_sample_value("llm_circuit_state", {"model": "gauge-25"}) is None
    assert breakers.of("http://e/v1", "gauge-599") is breakers.of("http://e/v1", "gauge-599")
    assert breakers.of("http://e/v1", "gauge-599") is not breakers.of("http://f/v1", "gauge-599")
