"""The ingestion worker: reads, cuts, embeds and indexes what the other processes queue. No port but its metrics."""

import socket
from contextlib import nullcontext

import uvloop

from chatbot.apps.boot import begin, failing_in_words, ready_database
from chatbot.apps.observing import bind_observed, observed_app
from chatbot.apps.runtime import open_knowledge
from chatbot.apps.serving import serve, stop_on_signals
from chatbot.apps.workers import ingestion_health, work_until
from chatbot.core.logging import get_logger
from chatbot.core.settings import Settings
from chatbot.identity.keys import load_keys
from chatbot.jobs.worker import WorkerState

log = get_logger(__name__)


def main() -> None:
    """Start an ingestion worker and run it until SIGTERM or SIGINT."""
    settings = begin("ingestion-worker")
    with failing_in_words():
        listener = bind_observed(
            settings.ingest_metrics_host, settings.ingest_metrics_port, variable="INGEST_METRICS_PORT"
        )
        with ready_database(settings) as database_url:
            uvloop.run(_run(settings, database_url, listener))


async def _run(settings: Settings, database_url: str, listener: socket.socket | None) -> None:
    stop = stop_on_signals()
    load_keys(settings)  # refuses weak secrets; ingestion signs nothing
    async with open_knowledge(settings, database_url) as runtime:
        state = WorkerState()
        app = observed_app("ingestion worker", ingestion_health(runtime, state))
        async with serve(app, listener, trusted_proxies=()) if listener else nullcontext():
            log.info(
                "ingestion worker ready", queue=settings.ingest_queue_name, concurrency=settings.ingest_concurrency
            )
            await work_until(runtime, stop, state)
    log.info("ingestion worker stopped")


if __name__ == "__main__":
    main()
