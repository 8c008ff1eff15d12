"""Turns under load: ours and the floor's, one after the other in the same minutes."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bench.figures import Figure, percentile
from bench.servers import ROOT
from bench.usage import Part

_WARM_UP_SECONDS = 2.0
_PACE_MS = 20.0
_SAMPLE_SECONDS = 0.5


class LoadFailed(Exception):
    """Turns failed under load; the message says how."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server under load: where it answers, with which token, and what to measure of it."""

    name: str
    url: str
    token: str
    part: Part


@dataclass(frozen=True, slots=True)
class Round:
    """One load on one target: rates in turns per second, CPU in milliseconds per turn, latencies in milliseconds."""

    rate: float
    own_cpu: float
    postgres_cpu: float
    first_p50: float
    first_p95: float
    whole_p50: float
    turns: int
    modes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """The repetitions of one load on one target."""

    target: str
    model: str
    conversations: int
    rounds: Sequence[Round]

    def figure(self, name: str) -> Figure:
        """Sum one measure up over the repetitions."""
        return Figure.of([getattr(one, name) for one in self.rounds])

    def as_json(self) -> dict[str, Any]:
        """Return the medians and the modes of the answers."""
        names = ("rate", "own_cpu", "postgres_cpu", "first_p50", "first_p95", "whole_p50")
        figures = {name: self.figure(name).middle for name in names}
        modes = self.rounds[-1].modes
        return {
            "target": self.target,
            "model": self.model,
            "conversations": self.conversations,
            **figures,
            "modes": modes,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often."""

    conversations: Sequence[int] = (1, 10, 50)
    repetitions: int = 2
    seconds: float = 5.0
    paced_seconds: float = 8.0


async def measure(targets: Sequence[Target], model_url: str, questions: Path, plan: Plan) -> list[Row]:
    """Load every target with the immediate and the paced model server, alternating between targets."""
    rows = []
    for model, pace, seconds in (("immediate", 0.0, plan.seconds), ("paced", _PACE_MS, plan.paced_seconds)):
        await set_pace(model_url, pace)
        for target in targets:
            await load(target, questions, 10, _WARM_UP_SECONDS)
        for conversations in plan.conversations:
            rounds: dict[str, list[Round]] = {target.name: [] for target in targets}
            for _ in range(plan.repetitions):
                for target in targets:
                    rounds[target.name].append(await load(target, questions, conversations, seconds))
            rows += [Row(target.name, model, conversations, rounds[target.name]) for target in targets]
            print("  " + "  ".join(_line(row) for row in rows[-len(targets) :]), flush=True)
    return rows


async def load(target: Target, questions: Path, conversations: int, seconds: float) -> Round:
    """Put one load on and account for the CPU that it cost.

    Raises:
        LoadFailed: more than one turn in a hundred failed.
    """
    before = target.part.cpu()
    seen = await _generate(target, questions, conversations, seconds)
    used = target.part.cpu().since(before)
    turns, failures = seen["turns"], sum(seen["failures"].values())
    if failures * 100 > turns:
        raise LoadFailed(f"{target.name}: {failures} of {turns + failures} turns failed: {seen['failures']}")
    return Round(
        rate=turns / seen["seconds"],
        own_cpu=used.own * 1000 / turns,
        postgres_cpu=used.postgres * 1000 / turns,
        first_p50=percentile(seen["first_ms"], 0.5),
        first_p95=percentile(seen["first_ms"], 0.95),
        whole_p50=percentile(seen["whole_ms"], 0.5),
        turns=turns,
        modes=seen["modes"],
    )


async def set_pace(model_url: str, milliseconds: float) -> None:
    """Set the model server's milliseconds a token."""
    async with aiohttp.ClientSession() as http, http.post(f"{model_url}/pace", json={"ms": milliseconds}) as answer:
        answer.raise_for_status()


async def most_memory_mb(part: Part, loading: "asyncio.Task[Round]") -> tuple[float, float]:
    """Sample memory while a load runs; return the most of own processes and of PostgreSQL."""
    own = postgres = 0.0
    while not loading.done():
        now_own, now_postgres = await asyncio.to_thread(part.memory_mb)
        own, postgres = max(own, now_own), max(postgres, now_postgres)
        await asyncio.sleep(_SAMPLE_SECONDS)
    return own, postgres


async def _generate(target: Target, questions: Path, conversations: int, seconds: float) -> dict[str, Any]:
    command = [
        "-m", "bench.load", "--url", f"{target.url}/v1/chat/stream", "--token", target.token, "--questions",
        str(questions), "--conversations", str(conversations), "--seconds", str(seconds),
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    if process.returncode:
        raise LoadFailed(errors.decode(errors="replace")[-1000:])
    seen: dict[str, Any] = json.loads(output)
    return seen


def _line(row: Row) -> str:
    return (
        f"{row.target}/{row.model}/{row.conversations}: {row.figure('rate').middle:.0f} turns/s, CPU "
        f"{row.figure('own_cpu').middle:.1f}+{row.figure('postgres_cpu').middle:.1f} ms, "
        f"first token {row.figure('first_p50').middle:.0f} ms"
    )
