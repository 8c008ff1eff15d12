"""The first steps of every process: settings, logs, tracing, figures of its machine, a database that is ready."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from chatbot.core.errors import XinError
from chatbot.core.logging import configure_logging
from chatbot.core.settings import ConfigurationError, Settings, load_settings
from chatbot.core.telemetry import init_tracing
from chatbot.db.bootstrap import create_bundled_database, prepare_database, require_answer
from chatbot.db.server import BundledPostgres
from chatbot.ops.figures.machine import watch_machine

_COLLECT_EVERY = 20_000
"""Objects made before the youngest are looked through (700 by default: several times a turn)."""


def begin(process: str, *, log_files: bool = False) -> Settings:
    """Load settings, start logs, tracing and figures; a bad setting ends the process with one sentence.

    Args:
        log_files: write the log to files too; without it only where `LOGS_DIR` is set: a container may write nowhere.
    """
    try:
        settings = load_settings()
        folder = settings.folder("logs") if log_files or settings.logs_dir else None
        configure_logging(settings.log_level, process=process, folder=folder)
    except ConfigurationError as error:
        fail(str(error))
    init_tracing(f"xin-{process}", endpoint=settings.otel_exporter_endpoint, headers=settings.otel_exporter_headers)
    watch_machine(settings)
    return settings


@contextmanager
def ready_database(settings: Settings) -> Iterator[str]:
    """Give the address of a migrated database: the configured one, else the bundled server's."""
    with running_database(settings) as url:
        prepare_database(url, only_compatible=settings.migrate_only_compatible)
        yield url


@contextmanager
def running_database(settings: Settings) -> Iterator[str]:
    """Give the address of the database as it is, whatever its schema; the bundled server is started if need be."""
    if settings.database_url:
        url = settings.database_url.get_secret_value()
        require_answer(url)
        yield url
        return
    server = BundledPostgres(settings.data_dir)
    server.start()
    try:
        create_bundled_database(server.url)
        with server.looked_after():
            yield server.url
    finally:
        server.stop()


def of_a_platform(settings: Settings) -> Settings:
    """Return settings for a command that looks after a platform; it must not make a new and empty one by the way.

    Raises:
        ConfigurationError: the rows are to be in a data folder that nobody named, and that is not there.
    """
    if not settings.database_url:
        settings.require_data_dir()
    return settings


def keep_what_is_loaded() -> None:
    """Leave out of garbage collection what a ready process holds anyway; looking through it costs a turn 5 %."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY, 10, 50)


@contextmanager
def failing_in_words() -> Iterator[None]:
    """End the process with one clear sentence instead of a stack trace where the cause is known."""
    try:
        yield
    except (ConfigurationError, XinError) as error:
        fail(str(error))


def fail(sentence: str) -> NoReturn:
    """Say why on standard error and exit with 1."""
    sys.stderr.write(f"xin: {sentence}\n")
    raise SystemExit(1)
