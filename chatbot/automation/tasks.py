"""What the automation queue does: run one job."""

from uuid import UUID

import procrastinate

from chatbot.automation.queueing import QUEUE
from chatbot.automation.running.runner import Runner
from chatbot.jobs.retry import KeepTrying


def automation_tasks(runner: Runner) -> procrastinate.Blueprint:
    """Return the queue's tasks, which work with this runner."""
    blueprint = procrastinate.Blueprint()

    @blueprint.task(name="run", queue=QUEUE, retry=KeepTrying())
    async def run(*, correlation_id: str, tenant_id: str, job_id: str) -> None:  # noqa: ARG001 - the job has its own
        await runner.run(UUID(tenant_id), UUID(job_id))

    return blueprint
