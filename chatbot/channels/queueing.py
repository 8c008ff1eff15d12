"""What channels put into the queue, always in the transaction that makes it necessary."""

from uuid import UUID

import procrastinate

from chatbot.db.sessions import Transaction
from chatbot.jobs.app import enqueue

NAMESPACE = "channels"
TURN_TASK = f"{NAMESPACE}:answer"
DELIVER_TASK = f"{NAMESPACE}:deliver"
DOWNLOAD_TASK = f"{NAMESPACE}:download"
TURN_QUEUE = "turns"
"""Taken by processes that answer (the orchestrator)."""
DELIVERY_QUEUE = "deliveries"
"""Taken by processes that talk to providers (the gateway)."""


async def answer_soon(app: procrastinate.App, session: Transaction, tenant_id: UUID, conversation_id: UUID) -> None:
    """Have what waits in a conversation answered: one turn at a time, and one waiting job for all of it."""
    lock = f"turn:{conversation_id}"
    arguments = {"tenant_id": str(tenant_id), "conversation_id": str(conversation_id)}
    await enqueue(app, session, TURN_TASK, queue=TURN_QUEUE, arguments=arguments, lock=lock, queueing_lock=lock)


async def deliver_soon(
    app: procrastinate.App, session: Transaction, tenant_id: UUID, lane: str, *, in_seconds: float = 0
) -> None:
    """Have a lane of the outbox sent: one worker at a time.

    A job for later does not stand in the way of one for now, nor of one that is due in half its time: what is not due
    yet is left alone by whichever comes, and queued again.
    """
    # The queue runs jobs of one lock in order of priority, also when the first is not due yet: a job for later must
    # therefore be of a lower one.
    later = max(1, round(in_seconds)) if in_seconds > 0 else None
    await enqueue(
        app,
        session,
        DELIVER_TASK,
        queue=DELIVERY_QUEUE,
        arguments={"tenant_id": str(tenant_id), "lane": lane},
        lock=f"lane:{lane}",
        queueing_lock=f"lane:{lane}:later:{later.bit_length()}" if later else f"lane:{lane}",
        priority=-1 if later else 0,
        in_seconds=later,
    )


async def download_soon(app: procrastinate.App, session: Transaction, tenant_id: UUID, attachment_id: UUID) -> None:
    """Have a customer's file fetched from the provider."""
    arguments = {"tenant_id": str(tenant_id), "attachment_id": str(attachment_id)}
    await enqueue(app, session, DOWNLOAD_TASK, queue=DELIVERY_QUEUE, arguments=arguments)
