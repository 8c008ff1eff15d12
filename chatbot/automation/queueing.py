"""How jobs of rules get into the durable queue."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import procrastinate

from chatbot.db.sessions import TenantSession
from chatbot.jobs.app import enqueue, enqueue_many

NAMESPACE = "automation"
QUEUE = "automation"
RUN = f"{NAMESPACE}:run"


async def run_later(jobs: procrastinate.App, session: TenantSession, job_ids: Sequence[UUID]) -> None:
    """Put jobs into the queue in the transaction that begins them."""
    tasks = [(0, {"tenant_id": str(session.tenant_id), "job_id": str(job_id)}) for job_id in job_ids]
    await enqueue_many(jobs, session, RUN, queue=QUEUE, tasks=tasks)


async def run_at(jobs: procrastinate.App, session: TenantSession, job_id: UUID, at: datetime) -> None:
    """Put one job into the queue for later, in the transaction that says so."""
    await enqueue(
        jobs, session, RUN, queue=QUEUE, arguments={"tenant_id": str(session.tenant_id), "job_id": str(job_id)},
        at=at,
    )  # fmt: skip
