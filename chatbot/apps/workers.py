"""The queue's workers as any process runs them: tasks of every room, the worker itself, and what watches beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from chatbot.apps.data_parts import daily_retention
from chatbot.apps.runtime import KnowledgeRuntime
from chatbot.core.background import beside
from chatbot.jobs.stored_files import UPKEEP_QUEUE
from chatbot.jobs.worker import WorkerState, run_worker, worker_name
from chatbot.knowledge.gaps.service import Grouping
from chatbot.knowledge.ingestion.pipeline import Pace
from chatbot.knowledge.ingestion.reembedding import Reembedding
from chatbot.knowledge.ingestion.watch import Watch
from chatbot.knowledge.parse.sandbox import ParserSandbox
from chatbot.knowledge.tasks import NAMESPACE, make_blueprint, make_pipeline
from chatbot.ops.analytics.keeping import Keeper
from chatbot.ops.health import Health, redis_check


@asynccontextmanager
async def ingestion(runtime: KnowledgeRuntime, pace: Pace | None = None) -> AsyncIterator[list[str]]:
    """Make the tasks of knowledge known to the process's queue, and watch over ingestion while the block runs.

    Yields:
        The queues that a worker must take from.
    """
    settings = runtime.settings
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(
            ParserSandbox(settings.ingest_concurrency, scratch=settings.data_dir / "parser")
        )
        pipeline = make_pipeline(
            database=runtime.database,
            blobs=runtime.blobs,
            queue=runtime.jobs,
            sandbox=sandbox,
            http=runtime.http,
            store=runtime.retriever.store,
            embedders=runtime.retriever.embedders,
            settings=settings,
            pace=pace,
        )
        reembedding = Reembedding(runtime.database, runtime.jobs, runtime.retriever.store, runtime.retriever.embedders)
        grouping = Grouping(runtime.database, runtime.jobs)
        runtime.jobs.add_tasks_from(make_blueprint(pipeline, reembedding, grouping), namespace=NAMESPACE)
        watch = Watch(runtime.database, runtime.jobs, settings.ingest_queue_name)
        await stack.enter_async_context(watch.running())
        await reembedding.begin()
        await grouping.begin()
        yield [settings.ingest_queue_name, UPKEEP_QUEUE]


def ingestion_health(runtime: KnowledgeRuntime, state: WorkerState) -> Health:
    """Return what an ingestion worker cannot do without, and the files, without which some sources wait."""
    return Health(
        {"database": runtime.database.ping, "queue": state.check},
        partial={"storage": runtime.blobs.check},
        optional=redis_check(runtime.redis),
    )


async def work(runtime: KnowledgeRuntime, pace: Pace | None = None, state: WorkerState | None = None) -> None:
    """Work on every queue until cancelled."""
    keeper = Keeper(runtime.database)
    async with ingestion(runtime, pace) as queues, keeper.running(), daily_retention(runtime, keeper).running():
        await run_worker(
            runtime.jobs,
            queues=queues,
            concurrency=runtime.settings.ingest_concurrency,
            name=worker_name("ingestion"),
            state=state,
        )


async def work_until(runtime: KnowledgeRuntime, stop: asyncio.Event, state: WorkerState) -> None:
    """Work until the event is set, then finish or give back what runs; a worker that ends by itself is a failure."""
    async with beside(work(runtime, state=state), name="worker"):
        await stop.wait()
