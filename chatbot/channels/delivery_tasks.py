"""The queue's tasks of a process that talks to providers, bound to its parts."""

from uuid import UUID

import procrastinate

from chatbot.channels.inbox.attachments import AttachmentStore
from chatbot.channels.outbox.service import Outbox
from chatbot.channels.queueing import DELIVERY_QUEUE
from chatbot.core import correlation
from chatbot.core.errors import XinError
from chatbot.core.logging import get_logger
from chatbot.db.sessions import is_away
from chatbot.jobs.retry import KeepTrying

log = get_logger(__name__)

MAX_DOWNLOADS = 6
"""Tries of a customer's file; after the last its row says why it is not there."""


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
        except Exception as error:
            if attempts + 1 < MAX_DOWNLOADS or is_away(error):
                raise
            log.warning("a file could not be fetched", attachment=attachment_id, exc_info=error)
            words = error.detail if isinstance(error, XinError) else f"the adapter failed: {type(error).__name__}"
            await files.refuse(UUID(tenant_id), UUID(attachment_id), words)

    return blueprint
