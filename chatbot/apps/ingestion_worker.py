"""The ingestion worker: reads, cuts, embeds and indexes what the other processes queue. No port but its metrics."""

import uvloop

from chatbot.apps.boot import begin, failing_in_words, ready_database
from chatbot.apps.runtime import open_knowledge
from chatbot.apps.serving import stop_on_signals
from chatbot.apps.workers import work_until
from chatbot.core.logging import get_logger
from chatbot.core.metrics import start_metrics_server
from chatbot.core.settings import Settings
from chatbot.identity.keys import load_keys

log = get_logger(__name__)


def main() -> None:
    """Start an ingestion worker and run it until SIGTERM or SIGINT."""
    settings = begin("ingestion-worker")
    with failing_in_words(), ready_database(settings) as database_url:
        start_metrics_server(settings.ingest_metrics_host, settings.ingest_metrics_port, variable="INGEST_METRICS_PORT")
        uvloop.run(_run(settings, database_url))


async def _run(settings: Settings, database_url: str) -> None:
    stop = stop_on_signals()
    load_keys(settings)  # refuses weak secrets; ingestion signs nothing
    async with open_knowledge(settings, database_url) as runtime:
        log.info("ingestion worker ready", queue=settings.ingest_queue_name, concurrency=settings.ingest_concurrency)
        await work_until(runtime, stop)
    log.info("ingestion worker stopped")


if __name__ == "__main__":
    main()
