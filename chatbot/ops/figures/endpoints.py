"""`GET /api/metrics`: the figures that an operator looks at first, as JSON."""

import time
from collections.abc import Iterable

import psutil
from fastapi import APIRouter, Request
from prometheus_client import Metric

from chatbot import __version__
from chatbot.core.metrics import DISK_FREE, HTTP_REQUESTS, LLM_REQUESTS, QUEUE_JOBS, QUEUE_OLDEST, is_asked_for
from chatbot.llm.breaker import CircuitState, worst
from chatbot.llm.service import ModelGateway
from chatbot.ops.figures.schemas import ModelFigures, ProcessFigures, QueueFigures, RequestFigures

router = APIRouter(tags=["system"])
_FINE = frozenset({"completed", "cancelled"})


@router.get("/api/metrics")
async def figures(request: Request) -> ProcessFigures:
    """Requests, errors, queues and the state of the model's circuit, of the process that answers."""
    models: ModelGateway = request.app.state.models
    process = psutil.Process()
    return ProcessFigures(
        version=__version__,
        uptime_seconds=int(time.time() - process.create_time()),
        memory_mb=round(process.memory_info().rss / 1e6, 1),
        disk_free_percent=round(100 * sum(value for _, value in _samples(DISK_FREE.collect())), 1),
        openai=_model(models.breakers.states()),
        requests=_requests(),
        queues=_queues(),
    )


def _model(states: dict[str, CircuitState]) -> ModelFigures:
    calls = list(_samples(LLM_REQUESTS.collect(), "_total"))
    return ModelFigures(
        circuit_state=worst(states.values()).value,
        models={model: state.value for model, state in states.items()},
        requests=int(sum(value for _, value in calls)),
        failures=int(sum(value for labels, value in calls if labels["outcome"] not in _FINE)),
    )


def _requests() -> RequestFigures:
    answered = [each for each in _samples(HTTP_REQUESTS.collect(), "_total") if is_asked_for(each[0]["route"])]
    total = int(sum(value for _, value in answered))
    errors = int(sum(value for labels, value in answered if labels["status_code"] == "5xx"))
    return RequestFigures(total=total, errors=errors, error_rate=round(errors / total, 5) if total else 0.0)


def _queues() -> dict[str, QueueFigures]:
    ages = {labels["queue"]: value for labels, value in _samples(QUEUE_OLDEST.collect())}
    found: dict[str, dict[str, int]] = {}
    for labels, value in _samples(QUEUE_JOBS.collect()):
        found.setdefault(labels["queue"], {})[labels["status"]] = int(value)
    return {name: QueueFigures(oldest_seconds=ages.get(name, 0.0), **jobs) for name, jobs in sorted(found.items())}


def _samples(metrics: Iterable[Metric], suffix: str = "") -> Iterable[tuple[dict[str, str], float]]:
    for metric in metrics:
        for sample in metric.samples:
            if sample.name == metric.name + suffix:
                yield sample.labels, sample.value
