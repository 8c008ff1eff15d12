"""The queue's tasks of a process that answers, bound to its parts."""

import asyncio
from uuid import UUID

import procrastinate
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from chatbot.channels.queueing import TURN_QUEUE
from chatbot.channels.turns import Turns
from chatbot.core import correlation
from chatbot.core.logging import get_logger
from chatbot.db.sessions import is_away
from chatbot.dialogue.service import Dialogue

log = get_logger(__name__)

MAX_TURNS = 4
"""Tries of a turn; after the last the visitor is told."""

_TURN_WAITS = (1, 3, 10)


class _AgainSoon(BaseRetryStrategy):
    """A failed turn is tried again after 1, 3 and 10 s: somebody waits for it."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision()
        return RetryDecision(retry_in={"seconds": _TURN_WAITS[min(job.attempts, len(_TURN_WAITS) - 1)]})


def turn_tasks(turns: Turns, dialogue: Dialogue) -> procrastinate.Blueprint:
    """Return the tasks of a process that answers."""
    blueprint = procrastinate.Blueprint()

    @blueprint.task(name="answer", queue=TURN_QUEUE, retry=_AgainSoon(), pass_context=True)
    async def answer(
        context: procrastinate.JobContext, *, correlation_id: str, tenant_id: str, conversation_id: str
    ) -> None:
        """Answer what waits in a conversation; what goes wrong is counted, but for a database that is away."""
        correlation.begin(correlation_id)
        attempts = context.job.attempts if context.job else 0
        try:
            await turns.answer(dialogue, UUID(tenant_id), UUID(conversation_id))
        except Exception as error:
            if attempts + 1 < MAX_TURNS or is_away(error):
                raise
            log.warning("a turn failed for good", conversation=conversation_id, reason=str(error)[:200])
            await _give_up(turns, dialogue, UUID(tenant_id), UUID(conversation_id))

    return blueprint


async def _give_up(turns: Turns, dialogue: Dialogue, tenant_id: UUID, conversation_id: UUID) -> None:
    try:
        await turns.give_up(dialogue, tenant_id, conversation_id)
    except Exception as error:
        if is_away(error):
            raise
        # What fails so often fails for ever: the job ends, and the visitor's next message begins another.
        log.exception("nobody could be told that a turn failed", conversation=str(conversation_id))
