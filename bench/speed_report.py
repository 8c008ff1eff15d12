"""The report of a speed run: ratios first, then the aims, then what they rest on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.figures import Figure
from bench.ingestion import IngestionSpeed
from bench.report import machine_line, table
from bench.search import SearchSpeed
from bench.turns import Row

Memory = tuple[float, float]
_TOP_SIZE = 100_000


@dataclass(frozen=True, slots=True)
class Speed:
    """All figures of a run. Memory: own processes and PostgreSQL, in MB."""

    machine: dict[str, Any]
    cold_start: float
    warm_start: Figure
    idle: Memory
    loaded: Memory
    turns: Sequence[Row]
    extractive: Row
    searches: Sequence[SearchSpeed]
    ingestion: IngestionSpeed

    def row(self, target: str, model: str, conversations: int) -> Row:
        """Return one row of the turns."""
        wanted = (target, model, conversations)
        return next(row for row in self.turns if (row.target, row.model, row.conversations) == wanted)

    @property
    def loads(self) -> list[tuple[str, int]]:
        """The loads that were put on: model server and conversations."""
        return list(dict.fromkeys((row.model, row.conversations) for row in self.turns))

    def added_ms(self, model: str, conversations: int) -> float:
        """Return how much later than at the floor the first token comes, at p50."""
        ours, floor = (self.row(name, model, conversations) for name in ("xin", "floor"))
        return ours.figure("first_p50").middle - floor.figure("first_p50").middle

    def share_of_floor(self, model: str, conversations: int) -> float:
        """Return our turns per second over the floor's."""
        ours, floor = (self.row(name, model, conversations) for name in ("xin", "floor"))
        return ours.figure("rate").middle / floor.figure("rate").middle

    def as_json(self) -> dict[str, Any]:
        """Return the figures, ratios first."""
        return {
            "machine": self.machine,
            "aims": [aim.as_json() for aim in aims(self)],
            "turns": [row.as_json() for row in (*self.turns, self.extractive)],
            "retrieval": [found.as_json() for found in self.searches],
            "ingestion": self.ingestion.as_json(),
            "start_seconds": {"cold": round(self.cold_start, 2), "warm": self.warm_start.middle},
            "memory_mb": {"idle": _memory_json(self.idle), "loaded": _memory_json(self.loaded)},
        }


@dataclass(frozen=True, slots=True)
class Aim:
    """What was aimed at, what was measured, in the unit named."""

    what: str
    bound: float
    measured: float
    unit: str
    at_least: bool = False

    @property
    def hit(self) -> bool:
        """Whether it was reached."""
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    def shown(self) -> list[str]:
        """Return the row of a table."""
        sign = "≥" if self.at_least else "≤"
        return [self.what, f"{sign} {self.bound:g} {self.unit}", f"{self.measured:.2f} {self.unit}", _verdict(self.hit)]

    def as_json(self) -> dict[str, Any]:
        """Return it for the file of results."""
        return {"aim": self.what, "bound": self.bound, "measured": round(self.measured, 3), "hit": self.hit}


def aims(speed: Speed) -> list[Aim]:
    """Hold a run against what was aimed at."""
    busiest = max(conversations for model, conversations in speed.loads if model == "immediate")
    ours = speed.row("xin", "immediate", busiest)
    return [
        Aim(
            f"turns per second over the floor's, {busiest} conversations",
            0.5, speed.share_of_floor("immediate", busiest), "×", at_least=True,
        ),
        Aim(f"own CPU a turn, {busiest} conversations", 10, ours.figure("own_cpu").middle, "ms"),
        *(
            Aim(f"added to the first token at p50, paced, {conversations} conversations", 15,
                speed.added_ms(model, conversations), "ms")
            for model, conversations in speed.loads if model == "paced"
        ),
        *(
            Aim(f"retrieval p95 at {search.passages:,} passages", 20, search.p95, "ms")
            for search in speed.searches if search.passages == _TOP_SIZE
        ),
        Aim("idle memory with PostgreSQL", 300, sum(speed.idle), "MB"),
        Aim("warm start", 3, speed.warm_start.middle, "s"),
    ]  # fmt: skip


def markdown(speed: Speed, *, seconds: float, quick: bool) -> str:
    """Write the report."""
    kind = "quick run, for a first look only" if quick else "run"
    parts = [
        f"{machine_line(speed.machine)} One {kind} of {seconds / 60:.0f} minutes.",
        table(["aim", "bound", "measured", ""], [aim.shown() for aim in aims(speed)]),
        _turns_table(speed),
        _search_table(speed),
        _rest_table(speed),
    ]
    return "\n\n".join(parts)


def _turns_table(speed: Speed) -> str:
    head = ["model server", "conversations", "turns/s: xin", "floor", "ratio", "CPU ms a turn (own + PostgreSQL): xin",
            "floor", "first token p50 ms: xin", "floor", "added"]  # fmt: skip
    rows = []
    for model, conversations in speed.loads:
        ours, floor = (speed.row(name, model, conversations) for name in ("xin", "floor"))
        rows.append([
            model, str(conversations), ours.figure("rate").shown(), floor.figure("rate").shown(),
            f"**{speed.share_of_floor(model, conversations):.2f}**", _cpu(ours), _cpu(floor),
            ours.figure("first_p50").shown(), floor.figure("first_p50").shown(),
            f"**{speed.added_ms(model, conversations):.1f}**",
        ])  # fmt: skip
    quoted = speed.extractive
    rows.append([
        quoted.model, str(quoted.conversations), quoted.figure("rate").shown(), "–", "–", _cpu(quoted), "–",
        quoted.figure("first_p50").shown(), "–", "–",
    ])  # fmt: skip
    return table(head, rows)


def _cpu(row: Row) -> str:
    return f"{row.figure('own_cpu').middle:.1f} + {row.figure('postgres_cpu').middle:.1f}"


def _search_table(speed: Speed) -> str:
    head = ["passages (4 tenants)", "retrieval p50 ms", "p95 ms", "over HTTP p50 ms", "p95 ms", "ANN recall@10"]
    rows = [
        [f"{s.passages:,}", f"{s.p50:.1f}", f"{s.p95:.1f}", f"{s.http_p50:.1f}", f"{s.http_p95:.1f}", f"{s.recall:.3f}"]
        for s in speed.searches
    ]
    stages = speed.searches[-1].stages_p50
    spent = ", ".join(f"{name} {took:.1f}" for name, took in stages.items())
    return f"{table(head, rows)}\n\nStages of a retrieval at the largest size, p50 ms: {spent}."


def _rest_table(speed: Speed) -> str:
    read = speed.ingestion
    rows = [
        ["ingestion, passages/s", f"{read.pipeline:.1f}", f"the embedder alone {read.embedder:.1f} on one core"],
        ["start on an empty folder, s", f"{speed.cold_start:.2f}", "database made, model converted"],
        ["warm start, s", speed.warm_start.shown(2), "until `/health/ready` answers 200"],
        ["memory idle, MB", f"{sum(speed.idle):.0f}", _memory(speed.idle)],
        ["memory under load, MB", f"{sum(speed.loaded):.0f}", _memory(speed.loaded)],
    ]
    return table(["what", "measured", ""], rows)


def _memory(memory: Memory) -> str:
    return f"own processes {memory[0]:.0f}, PostgreSQL {memory[1]:.0f} (proportional set size)"


def _memory_json(memory: Memory) -> dict[str, float]:
    return {"own": round(memory[0], 1), "postgres": round(memory[1], 1)}


def _verdict(hit: bool) -> str:
    return "hit" if hit else "**missed**"
