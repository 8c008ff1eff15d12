"""Which jobs go back to the queue: those whose end the rows decide always do."""

import asyncio

from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

_LONGEST_WAIT = 60


class KeepTrying(BaseRetryStrategy):
    """A task that was interrupted or met a database that is away goes back to the queue, always.

    The rows that it works on count the tries and end them; without this, procrastinate drops what a stopping worker
    held.
    """

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        """Decide that it runs again: at once after an interruption, else after 1 to 60 s."""
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision()
        return RetryDecision(retry_in={"seconds": min(2**job.attempts, _LONGEST_WAIT)})
