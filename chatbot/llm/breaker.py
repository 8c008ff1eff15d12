"""The circuit breaker around each (endpoint, model): too many failures, and it is left alone for a while."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from chatbot.core.logging import get_logger
from chatbot.core.metrics import LLM_CIRCUIT

log = get_logger(__name__)

_BUCKET_SECONDS = 10.0
_LONGEST_PAUSE = 600.0
_MAX_LABELS = 20
_MAX_BREAKERS = 500

Clock = Callable[[], float]


class CircuitState(StrEnum):
    """What the breaker lets through: all, probes, nothing."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


_GAUGE = {CircuitState.CLOSED: 0, CircuitState.HALF_OPEN: 1, CircuitState.OPEN: 2}


def worst(states: Iterable[CircuitState]) -> CircuitState:
    """Return the state that lets the least through; of none, closed."""
    return max(states, key=_GAUGE.__getitem__, default=CircuitState.CLOSED)


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When to open and how to close again.

    Attributes:
        window: seconds of history that count.
        failure_rate: more than this share of failures opens.
        min_calls: below this many calls in the window the share says nothing.
        min_failures: nor below this many failures: 1 of 19 is above 5% and means nothing.
        consecutive: this many failures in a row open at once.
        open_seconds: how long nothing is let through.
        probes: successes in a row, one at a time, that close it again.
    """

    window: float = 300.0
    failure_rate: float = 0.05
    min_calls: int = 5
    min_failures: int = 3
    consecutive: int = 5
    open_seconds: float = 30.0
    probes: int = 2


class Permit:
    """Leave for one call; exactly one of its methods tells how the call went. A later one does nothing."""

    def __init__(self, breaker: "CircuitBreaker", generation: int) -> None:
        self._breaker = breaker
        self._generation = generation
        self._told = False

    def succeeded(self) -> None:
        """The model answered."""
        self._tell(failed=False)

    def failed(self) -> None:
        """The endpoint or model failed."""
        self._tell(failed=True)

    def abandoned(self) -> None:
        """The call says nothing about the model (the visitor left, the request itself was wrong)."""
        self._tell(failed=None)

    def _tell(self, *, failed: bool | None) -> None:
        if not self._told:
            self._told = True
            self._breaker.take_note(self._generation, failed=failed)


class CircuitBreaker:
    """Counts the calls of one model of one endpoint. Not for threads: it lives in the event loop.

    Args:
        label: the model's name in metrics; None leaves the metric alone.
        clock: monotonic seconds.
    """

    def __init__(
        self, name: str, policy: BreakerPolicy, *, clock: Clock = time.monotonic, label: str | None = None
    ) -> None:
        self._name = name
        self._policy = policy
        self._clock = clock
        self._label = label
        self._state = CircuitState.CLOSED
        self._generation = 0
        self._opened_at = 0.0
        self._paused_until = 0.0
        self._probing = False
        self._probes_good = 0
        self._in_a_row = 0
        self._buckets: deque[list[int]] = deque()  # [ten seconds, calls, failures]
        self._enter(CircuitState.CLOSED)

    @property
    def state(self) -> CircuitState:
        """The state now; an open one turns half open when its time is over."""
        if self._state is CircuitState.OPEN and self._clock() - self._opened_at >= self._policy.open_seconds:
            self._enter(CircuitState.HALF_OPEN)
        return self._state

    def admit(self) -> Permit | None:
        """Return leave for one call, or None: open, or half open with a probe on its way."""
        state = self.state
        if state is CircuitState.OPEN or (state is CircuitState.HALF_OPEN and self._probing):
            return None
        self._probing = state is CircuitState.HALF_OPEN
        return Permit(self, self._generation)

    def pause(self, seconds: float) -> None:
        """Keep away for as long as the provider asked (`Retry-After`), at most ten minutes."""
        until = self._clock() + min(seconds, _LONGEST_PAUSE)
        self._paused_until = max(self._paused_until, until)

    def paused_for(self) -> float:
        """Return the seconds that are left of a pause."""
        return max(0.0, self._paused_until - self._clock())

    def take_note(self, generation: int, *, failed: bool | None) -> None:
        """Count how a call went; one that began in an earlier state counts no more."""
        if generation != self._generation:
            return
        if self._state is CircuitState.HALF_OPEN:
            self._note_probe(failed=failed)
        elif failed is not None:
            self._note_call(failed=failed)

    def _note_probe(self, *, failed: bool | None) -> None:
        self._probing = False
        if failed:
            self._enter(CircuitState.OPEN)
        elif failed is False:
            self._probes_good += 1
            if self._probes_good >= self._policy.probes:
                self._enter(CircuitState.CLOSED)

    def _note_call(self, *, failed: bool) -> None:
        self._in_a_row = self._in_a_row + 1 if failed else 0
        bucket = int(self._clock() / _BUCKET_SECONDS)
        if not self._buckets or self._buckets[-1][0] != bucket:
            self._buckets.append([bucket, 0, 0])
        self._buckets[-1][1] += 1
        self._buckets[-1][2] += failed
        if failed and self._too_many():
            self._enter(CircuitState.OPEN)

    def _too_many(self) -> bool:
        oldest = (self._clock() - self._policy.window) / _BUCKET_SECONDS
        while self._buckets and self._buckets[0][0] < oldest:
            self._buckets.popleft()
        calls = sum(bucket[1] for bucket in self._buckets)
        failures = sum(bucket[2] for bucket in self._buckets)
        policy = self._policy
        measurable = calls >= policy.min_calls and failures >= policy.min_failures
        return self._in_a_row >= policy.consecutive or (measurable and failures > policy.failure_rate * calls)

    def _enter(self, state: CircuitState) -> None:
        if state is not self._state:
            log.warning("model circuit", model=self._name, state=state.value)
        self._state = state
        self._generation += 1
        self._buckets.clear()
        self._in_a_row = 0
        self._probing = False
        self._probes_good = 0
        self._opened_at = self._clock()
        if self._label:
            LLM_CIRCUIT.labels(self._label).set(_GAUGE[state])


class Breakers:
    """The breakers of a process, one per (endpoint, model).

    Tenants may name fallback models, so both the breakers and the metric's labels are bounded: past 20 models a
    breaker has no metric, past 500 the one made first is forgotten.
    """

    def __init__(self, policy: BreakerPolicy | None = None, *, clock: Clock = time.monotonic) -> None:
        self._policy = policy or BreakerPolicy()
        self._clock = clock
        self._known: dict[tuple[str, str], CircuitBreaker] = {}
        self._labels: set[str] = set()

    def of(self, endpoint: str, model: str) -> CircuitBreaker:
        """Return the breaker of a model."""
        key = (endpoint, model)
        if key not in self._known:
            if len(self._known) >= _MAX_BREAKERS:
                self._known.pop(next(iter(self._known)))
            label = self._label(model)
            self._known[key] = CircuitBreaker(model, self._policy, clock=self._clock, label=label)
            if label:
                LLM_CIRCUIT.labels(label).set(_GAUGE[CircuitState.CLOSED])
        return self._known[key]

    def states(self) -> dict[str, CircuitState]:
        """Return the state of each model that was asked for, the worst where several endpoints have it."""
        found: dict[str, CircuitState] = {}
        for (_, model), breaker in self._known.items():
            found[model] = worst([found.get(model, CircuitState.CLOSED), breaker.state])
        return found

    def _label(self, model: str) -> str | None:
        if len(self._labels) < _MAX_LABELS:
            self._labels.add(model)
        return model if model in self._labels else None
