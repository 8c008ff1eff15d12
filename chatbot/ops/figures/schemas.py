"""The body of `/api/metrics`."""

from typing import Literal

from chatbot.core.schemas import ResponseBody

CircuitName = Literal["closed", "half_open", "open"]


class ModelFigures(ResponseBody):
    """The language model: the worst state of its circuits, each model's, and its calls since the process began."""

    circuit_state: CircuitName
    models: dict[str, CircuitName]
    requests: int
    failures: int


class RequestFigures(ResponseBody):
    """HTTP requests since the process began but those of probes, those answered with 5xx, and their part, 0 to 1."""

    total: int
    errors: int
    error_rate: float


class QueueFigures(ResponseBody):
    """A queue as it was seen last; `oldest_seconds` is the age of the oldest job that is due."""

    waiting: int
    running: int
    failed: int
    oldest_seconds: float


class ProcessFigures(ResponseBody):
    """The process that answers, in figures; Prometheus reads more of them at `/metrics`."""

    version: str
    uptime_seconds: int
    memory_mb: float
    disk_free_percent: float
    openai: ModelFigures
    requests: RequestFigures
    queues: dict[str, QueueFigures]
