"""Structured JSON logs: one line an event, `correlation_id` in each, secrets blanked."""

import fcntl
import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from logging.handlers import TimedRotatingFileHandler
from pathlib import Path
from typing import IO, Any

import structlog

from chatbot.core import correlation
from chatbot.core.ids import new_id
from chatbot.core.log_tail import log_tail
from chatbot.core.places import ConfigurationError

_SECRET_NAME = re.compile(r"(secret|password|token|authorization|api_?key|cookie|credential)", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"(Bearer\s+)[^\s\"']+|\b(xin_[a-z]{2,6}_)[A-Za-z0-9_-]{16,}|\beyJ[\w-]+\.[\w-]+\.[\w-]+")
_BLANK = "[hidden]"
_DAYS_KEPT = 7
_held: dict[Path, IO[str]] = {}
"""Locks of the files that this process writes, for as long as it lives."""

EventDict = MutableMapping[str, Any]
Processor = Callable[[Any, str, EventDict], EventDict]


def hide_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Blank values whose name or look is that of a credential."""
    for key, value in event.items():
        if _SECRET_NAME.search(key) and not isinstance(value, bool | int):
            event[key] = _BLANK
        elif isinstance(value, str):
            event[key] = _SECRET_VALUE.sub(lambda m: (m.group(1) or m.group(2) or "") + _BLANK, value)
    return event


def _with_id_of(process: str) -> Processor:
    """What belongs to no request (a start, a drain, a peer that is back) has the process's own id."""

    def named(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event.setdefault("correlation_id", process)
        return event

    return named


_PROCESSORS: list[Any] = []
"""One list for the process: loggers keep the one that they met first, and are to follow what is configured."""


def configure_logging(level: str, *, process: str, folder: Path | None = None) -> None:
    """Write every log line, ours and the libraries', as JSON to standard error.

    Args:
        level: `DEBUG`, `INFO`, `WARNING` or `ERROR`.
        process: the process's name, in each line as `process`.
        folder: also keep the lines there, a file a day, seven days; a terminal then shows warnings only.

    Raises:
        ConfigurationError: nothing can be written in the folder.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _with_id_of(str(new_id())),
        correlation.add_trace_id,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    _PROCESSORS[:] = [
        structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter
    ]  # fmt: skip
    structlog.configure(
        processors=_PROCESSORS,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if folder:
        if sys.stderr.isatty():
            handlers[0].setLevel(logging.WARNING)
        handlers.append(_daily_file(folder, process))
    for handler in handlers:
        handler.setFormatter(formatter)
    log_tail.setFormatter(formatter)
    handlers.append(log_tail)
    root = logging.getLogger()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.contextvars.bind_contextvars(process=process)
    for noisy in ("uvicorn.access", "procrastinate", "alembic", "httpx", "sqlalchemy.pool"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _daily_file(folder: Path, process: str) -> logging.Handler:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return TimedRotatingFileHandler(
            _own_file(folder, process), when="midnight", backupCount=_DAYS_KEPT, utc=True, encoding="utf-8"
        )
    except OSError as error:
        raise ConfigurationError(f"LOGS_DIR: {error.strerror or error}: {error.filename or folder}") from None


def _own_file(folder: Path, process: str) -> Path:
    """Return a file that no other process writes: of two that rotate one, the second throws away the first's day.

    The first process of its name has `<process>.log`, one that runs beside it `<process>-2.log`, and so on.
    """
    number = 0
    while True:
        number += 1
        file = folder / (f"{process}.log" if number == 1 else f"{process}-{number}.log")
        if file in _held:
            return file
        lock = file.with_name(f".{file.stem}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        _held[file] = lock
        return file


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module (`get_logger(__name__)`)."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
