"""Can this process serve? Each dependency is asked, at most once a second, and the failing one is named."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from chatbot.core.errors import XinError
from chatbot.core.logging import get_logger
from chatbot.core.redis_link import RedisLink

log = get_logger(__name__)
_CHECK_SECONDS = 3.0
_FRESH_SECONDS = 1.0

Check = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What each dependency said: `ok` or the reason in words; the process serves without the `optional` ones.

    `partial`: those without which a part is not served. `milliseconds`: how long each took to answer.
    """

    dependencies: Mapping[str, str]
    partial: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    milliseconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every dependency answered that is not optional."""
        return self._answer_but(self.optional)

    @property
    def ready(self) -> bool:
        """Whether every dependency answered that the process cannot do without."""
        return self._answer_but(self.optional | self.partial)

    def _answer_but(self, spared: frozenset[str]) -> bool:
        return all(answer == "ok" for name, answer in self.dependencies.items() if name not in spared)


class Health:
    """Asks the dependencies of one process.

    Args:
        checks: those without which it cannot serve.
        partial: those without which a part is not served: a fault to be told, no reason to send all requests elsewhere,
            where the same dependency is as much away.
        optional: those that it serves without; what they say is shown.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        *,
        partial: Mapping[str, Check] | None = None,
        optional: Mapping[str, Check] | None = None,
    ) -> None:
        self._checks = {**checks, **(partial or {}), **(optional or {})}
        self._partial = frozenset(partial or ())
        self._optional = frozenset(optional or ())
        self._report = HealthReport({})
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()
        self.draining = False

    def add_partial(self, name: str, check: Check) -> None:
        """Ask one more dependency without which a part is not served: one that began after the process' first parts."""
        self._checks[name] = check
        self._partial |= {name}

    async def report(self) -> HealthReport:
        """Return a report no older than a second."""
        async with self._lock:
            if time.monotonic() - self._asked_at > _FRESH_SECONDS:
                answers = await asyncio.gather(*(_timed(check) for check in self._checks.values()))
                words = {name: said for name, (said, _) in zip(self._checks, answers, strict=True)}
                took = {name: round(ms, 1) for name, (_, ms) in zip(self._checks, answers, strict=True)}
                self._report = HealthReport(words, self._partial, self._optional, took)
                self._asked_at = time.monotonic()
        return self._report


def health_router(*aliases: str) -> APIRouter:
    """Return `/health`, `/health/live`, `/health/ready` and further paths that answer as `/health`."""
    router = APIRouter(tags=["health"])

    @router.get("/health/live")
    async def live() -> JSONResponse:
        """The process runs; restart it when this does not answer."""
        return JSONResponse({"status": "ok"})

    async def ready(request: Request) -> JSONResponse:
        """Whether requests may come here: 200, or 503 where the process ends or a dependency is away without which it
        cannot serve."""
        health: Health = request.app.state.health
        report = await health.report()
        return _answer(health, report, good=report.ready)

    async def healthy(request: Request) -> JSONResponse:
        """200 when the process can serve everything; 503 with the failing dependency named when it cannot."""
        health: Health = request.app.state.health
        report = await health.report()
        return _answer(health, report, good=report.whole)

    for path, handler in (("/health", healthy), ("/health/ready", ready), *((alias, healthy) for alias in aliases)):
        router.add_api_route(path, handler, methods=["GET"], responses={503: {"description": "Cannot serve now"}})
    return router


def _answer(health: Health, report: HealthReport, *, good: bool) -> JSONResponse:
    status = "draining" if health.draining else "ok" if good else "failing"
    code = 200 if status == "ok" else 503
    return JSONResponse({"status": status, "dependencies": report.dependencies}, status_code=code)


def redis_check(link: RedisLink | None) -> dict[str, Check]:
    """The check of Redis, where one is configured."""
    return {"redis": link.ping} if link else {}


async def _timed(check: Check) -> tuple[str, float]:
    began = time.perf_counter()
    return await _ask(check), (time.perf_counter() - began) * 1000


async def _ask(check: Check) -> str:
    try:
        await asyncio.wait_for(check(), timeout=_CHECK_SECONDS)
    except TimeoutError:
        return f"no answer within {_CHECK_SECONDS:g} s"
    except XinError as error:
        return error.detail
    except Exception as error:  # noqa: BLE001 - whatever a driver raises, the report names the dependency
        log.warning("health check failed", reason=str(error)[:300])
        return f"does not answer ({type(error).__name__})"
    return "ok"
