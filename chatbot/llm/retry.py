"""How often a model is tried, and how long one waits between tries."""

import asyncio
import random
import time
from dataclasses import dataclass

from chatbot.llm.breaker import CircuitBreaker, Permit
from chatbot.llm.errors import ModelCallFailed

_SPREAD = 0.25


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Limits of one request's tries, all models together. Times in seconds.

    Attributes:
        tries: calls in all; with a fallback model the last one is kept for it.
        first_delay: the wait after the first failure; doubles each time.
        longest_delay: where doubling ends.
        longest_wait: a `Retry-After` above this is not waited for: the fallback model is asked at once.
        patience: no further try begins after this long; somebody waits for the answer.
    """

    tries: int = 4
    first_delay: float = 0.5
    longest_delay: float = 4.0
    longest_wait: float = 5.0
    patience: float = 30.0

    def backoff(self, failures: int) -> float:
        """Return the wait after so many failures, with jitter: between half and the whole of it."""
        if failures == 0:
            return 0.0
        delay = min(self.longest_delay, self.first_delay * 2.0 ** (failures - 1))
        return delay * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing


class Tries:
    """Counts the tries of one request over its models."""

    def __init__(self, policy: RetryPolicy, models: int) -> None:
        self._policy = policy
        self._left = policy.tries
        self._models_to_come = models
        self._failures = 0
        self._give_up_at = time.monotonic() + policy.patience

    def next_model(self) -> None:
        """Turn to the next model; its first try does not wait."""
        self._models_to_come -= 1
        self._failures = 0

    @property
    def may_try(self) -> bool:
        """Whether the present model may be tried (again): each model to come keeps one try."""
        return self._left > self._models_to_come and time.monotonic() < self._give_up_at

    async def admission(self, breaker: CircuitBreaker) -> Permit | None:
        """Wait as long as is due, then ask the breaker; None when the wait is too long or the circuit open."""
        pause = breaker.paused_for()
        if pause > self._policy.longest_wait:
            return None
        wait = max(self._policy.backoff(self._failures), pause)
        if wait:
            # All who were told the same Retry-After must not come back at the same moment.
            await asyncio.sleep(wait + random.uniform(0, _SPREAD * min(1.0, wait)))  # noqa: S311
        permit = breaker.admit()
        self._left -= permit is not None
        return permit

    def failed(self, error: ModelCallFailed, breaker: CircuitBreaker) -> bool:
        """Take note of a failure; whether the same model is worth another try."""
        self._failures += 1
        if error.retry_after:
            breaker.pause(error.retry_after)
        return error.retryable


def settle(permit: Permit, error: ModelCallFailed | None) -> None:
    """Tell the breaker how a call went."""
    if error is None:
        permit.succeeded()
    elif error.blames_model:
        permit.failed()
    else:
        permit.abandoned()
