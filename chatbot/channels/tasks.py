"""The queue's tasks of channels, bound to the parts of one process."""

import asyncio
from uuid import UUID

import procrastinate
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from chatbot.channels.inbox.attachments import AttachmentStore
from chatbot.channels.outbox.service import Outbox
from chatbot.channels.queueing import DELIVERY_QUEUE, TURN_QUEUE
from chatbot.channels.turns import TurnFailed, Turns
from chatbot.core import correlation
from chatbot.core.errors import XinError
from chatbot.core.logging import get_logger
from chatbot.dialogue.service import Dialogue
from chatbot.jobs.retry import KeepTrying

log = get_logger(__name__)

MAX_TURNS = 4
"""Tries of a turn; after the last the visitor is told."""

MAX_DOWNLOADS = 6
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
        """Answer what waits in a conversation."""
        correlation.begin(correlation_id)
        attempts = context.job.attempts if context.job else 0
        try:
            await turns.answer(dialogue, UUID(tenant_id), UUID(conversation_id))
        except TurnFailed:
            if attempts + 1 < MAX_TURNS:
                raise
            log.warning("a turn failed for good", conversation=conversation_id)
            await dialogue.apologize(UUID(tenant_id), UUID(conversation_id))

    return blueprint


def delivery_tasks(outbox: Outbox, files: AttachmentStore) -> procrastinate.Blueprint:
    """Return the tasks of a process that talks to providers."""
    blueprint = procrastinate.Blueprint()

    @blueprint.task(name="deliver", queue=DELIVERY_QUEUE, retry=KeepTrying())
    async def deliver(*, correlation_id: str, tenant_id: str, lane: str) -> None:
        """Send what a lane of the outbox holds."""
        correlation.begin(correlation_id)
        await outbox.deliver(UUID(tenant_id), lane)

    @blueprint.task(name="download", queue=DELIVERY_QUEUE, retry=KeepTrying(), pass_context=True)
    async def download(
        context: procrastinate.JobContext, *, correlation_id: str, tenant_id: str, attachment_id: str
    ) -> None:
        """Fetch a customer's file."""
        correlation.begin(correlation_id)
        attempts = context.job.attempts if context.job else 0
        try:
            await files.fetch(UUID(tenant_id), UUID(attachment_id))
        except XinError as error:
            if attempts + 1 < MAX_DOWNLOADS:
                raise
            await files.refuse(UUID(tenant_id), UUID(attachment_id), error.detail)

    return blueprint
