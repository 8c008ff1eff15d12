"""What a load run is judged by: P95 and errors of each name and of all, against the service's objectives."""

import sys
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.figures import percentile

if TYPE_CHECKING:  # its import patches the standard library for gevent
    from locust.env import Environment

MAX_P95_MS = 1200.0
MAX_ERRORS = 0.005


class Tally:
    """Counts requests whose names begin with a prefix; `gate` lets the run fail when they miss the objectives."""

    def __init__(self, environment: "Environment", prefix: str, *, gate: bool) -> None:
        self._prefix = prefix
        self._gate = gate
        self._times: dict[str, list[float]] = defaultdict(list)
        self._errors: dict[str, int] = defaultdict(int)
        self._modes: dict[str, int] = defaultdict(int)
        environment.events.request.add_listener(self._count)
        environment.events.quitting.add_listener(self._end)

    def mode(self, name: str) -> None:
        """Count how an answer was made."""
        self._modes[name] += 1

    def _count(self, name: str, response_time: float, exception: Exception | None, **_: Any) -> None:
        if name.startswith(self._prefix):
            self._times[name].append(response_time)
            self._errors[name] += exception is not None

    def _end(self, environment: "Environment", **_: Any) -> None:
        everything = [time for times in self._times.values() for time in times]
        rows = {**dict(sorted(self._times.items())), "total": everything}
        errors = {**self._errors, "total": sum(self._errors.values())}
        sys.stdout.write(_table(rows, errors))
        if self._modes:
            sys.stdout.write(f"answers: {', '.join(f'{name} {n}' for name, n in sorted(self._modes.items()))}\n")
        environment.process_exit_code = 0
        if self._gate and not kept(everything, errors["total"]):
            sys.stdout.write(f"missed: P95 below {MAX_P95_MS:.0f} ms and errors below {MAX_ERRORS:.1%} are wanted\n")
            environment.process_exit_code = 1


def kept(times: list[float], errors: int) -> bool:
    """Whether a run kept the objectives: milliseconds of every request, how many failed; no requests, not kept."""
    return bool(times) and percentile(times, 0.95) < MAX_P95_MS and errors / len(times) < MAX_ERRORS


def _table(rows: Mapping[str, list[float]], errors: Mapping[str, int]) -> str:
    lines = [f"{'':30} {'requests':>9} {'P50 ms':>8} {'P95 ms':>8} {'errors':>8}"]
    lines += [
        f"{name:30} {len(times):9} {percentile(times, 0.5):8.0f} {percentile(times, 0.95):8.0f} "
        f"{errors[name] / max(1, len(times)):8.2%}"
        for name, times in rows.items()
    ]
    return "\n".join(lines) + "\n"
