"""Speed: one run, one table, everything beside a floor measured in the same minutes.

Run with `python -m bench.run [--quick]`.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import bulk, corpus, floor, ingestion, search, speed_report, turns
from bench.client import CallFailed, Client, Tenant
from bench.figures import Figure
from bench.ingestion import IngestionSpeed
from bench.report import machine, write
from bench.search import SearchSpeed
from bench.servers import Platform, Server, end_cleanly, free_port
from bench.speed_report import Speed
from bench.turns import Plan, Target
from bench.usage import Part
from chatbot.identity.demo import DEMO_TENANT_ID

_TENANTS = 4
_SIZES = (10_000, 100_000)
_IDLE_SECONDS = 40.0
_LOAD_SECONDS = 8.0
_QUICK = Plan(conversations=(1, 10), repetitions=1, seconds=3.0, paced_seconds=4.0)


@dataclass(frozen=True, slots=True)
class Scope:
    """How much is measured."""

    plan: Plan = field(default_factory=Plan)
    sizes: Sequence[int] = _SIZES
    documents: int = 700
    starts: int = 3
    queries: int = 240


def _scope(quick: bool, most_passages: int) -> Scope:
    if quick:
        return Scope(_QUICK, sizes=(2_000,), documents=150, starts=1, queries=60)
    return Scope(sizes=[size for size in _SIZES if size <= most_passages])


@dataclass(frozen=True, slots=True)
class Bench:
    """What the measurements of one run share."""

    folder: Path
    scope: Scope
    model: Server
    floor: Server

    @property
    def data_dir(self) -> Path:
        """The platform's data folder."""
        return self.folder / "xin"

    def platform(self) -> Platform:
        """Return the platform, not started yet, with the model server as its model."""
        settings = {"OPENAI_API_KEY": "bench", "OPENAI_BASE_URL": f"{self.model.url}/v1", "OPENAI_MODEL": "bench"}
        return Platform(self.data_dir, settings)


async def run(bench: Bench) -> Speed:
    """Measure everything, in the order that needs the least waiting."""
    described = machine()  # now: later the load is our own
    cold, warm = _starts(bench)
    platform = bench.platform()
    with platform:
        part = Part(platform.pid, bench.data_dir)
        async with Client(platform.url, platform.token()) as client:
            await client.until_idle(str(DEMO_TENANT_ID))
            await asyncio.sleep(_IDLE_SECONDS)
            idle = part.memory_mb()
            _say(f"idle memory {sum(idle):.0f} MB")
            served, speed = await _ingest(client, bench)
            tenants = [await client.make_tenant(f"bench {place}") for place in range(_TENANTS)]
            searches = [await _search(client, tenants, bench, 0)]
            rows, extractive, loaded = await _turns(client, served, part, bench)
            searches += [await _search(client, tenants, bench, place) for place in range(1, len(bench.scope.sizes))]
    return Speed(described, cold, warm, idle, loaded, rows, extractive, searches, speed)


def _starts(bench: Bench) -> tuple[float, Figure]:
    """Start on an empty folder, then again and again; each is a new process."""
    seconds = []
    for _ in range(1 + bench.scope.starts):
        with bench.platform() as platform:
            seconds.append(platform.start_seconds)
    _say(f"start: cold {seconds[0]:.2f} s, warm {', '.join(f'{s:.2f}' for s in seconds[1:])} s")
    return seconds[0], Figure.of(seconds[1:])


async def _ingest(client: Client, bench: Bench) -> tuple[Tenant, IngestionSpeed]:
    tenant = await client.make_tenant("bench turns")
    documents = corpus.documents()[: bench.scope.documents]
    speed = await ingestion.measure(client, tenant, documents, bench.data_dir)
    _say(f"ingestion {speed.pipeline:.0f} passages/s, the embedder alone {speed.embedder:.0f}")
    return tenant, speed


async def _search(client: Client, tenants: Sequence[Tenant], bench: Bench, place: int) -> SearchSpeed:
    """Grow the tenants' knowledge to the size at this place and search it."""
    size, before = bench.scope.sizes[place], bench.scope.sizes[place - 1] if place else 0
    begun = time.perf_counter()
    await bulk.fill(bench.data_dir, tenants, size - before, seed=place + 1)
    _say(f"{size:,} passages ({time.perf_counter() - begun:.0f} s to load)")
    questions = corpus.search_questions()[: bench.scope.queries]
    found = await search.measure(client, tenants, bench.data_dir, questions, size)
    _say(f"retrieval p50 {found.p50} ms, p95 {found.p95} ms, recall of the vector index {found.recall}")
    return found


async def _turns(
    client: Client, tenant: Tenant, part: Part, bench: Bench
) -> tuple[list[turns.Row], turns.Row, tuple[float, float]]:
    """Load floor and platform by turns; then the platform without a model; memory while it is loaded."""
    questions = bench.folder / "questions.json"
    questions.write_text(json.dumps(corpus.questions()))
    ours = Target("xin", client.url, tenant.key, part)
    bare = Target("floor", bench.floor.url, floor.token(), Part(bench.floor.pid, bench.folder / "floor"))
    rows = await turns.measure([bare, ours], bench.model.url, questions, bench.scope.plan)
    loading = asyncio.create_task(turns.load(ours, questions, bench.scope.plan.conversations[-1], _LOAD_SECONDS))
    loaded = await turns.most_memory_mb(part, loading)
    await loading
    await turns.set_pace(bench.model.url, 0)
    await client.without_model(tenant)
    extractive = [await turns.load(ours, questions, 10, bench.scope.plan.seconds) for _ in range(2)]
    _say(f"memory under load {sum(loaded):.0f} MB")
    return rows, turns.Row("xin", "none: quoted from the passages", 10, extractive[1:]), loaded


def _say(sentence: str) -> None:
    print(f"bench: {sentence}", flush=True)


def main() -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two minutes instead of twelve: fewer, shorter, smaller")
    parser.add_argument("--most-passages", type=int, default=100_000, help="leave larger sizes out (default 100,000)")
    parser.add_argument("--no-write", action="store_true", help="only print; leave bench/README.md as it is")
    arguments = parser.parse_args()
    end_cleanly()
    scope = _scope(arguments.quick, arguments.most_passages)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="xin-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with _model_server(folder) as model, _floor(folder, model, scope.sizes[0]) as bare:
            try:
                speed = asyncio.run(run(Bench(folder, scope, model, bare)))
            except (CallFailed, turns.LoadFailed) as error:
                print(f"bench: {error}", file=sys.stderr)
                return 1
    markdown = speed_report.markdown(speed, seconds=time.perf_counter() - begun, quick=arguments.quick)
    print("\n" + markdown)
    if not arguments.no_write:
        write("speed", markdown, speed.as_json())
    return 0


def _model_server(folder: Path) -> Server:
    port = free_port()
    return Server(("bench.model_server", "--port", str(port)), port=port, log=folder / "model.log")


def _floor(folder: Path, model: Server, passages: int) -> Server:
    port = free_port()
    arguments = ("--port", str(port), "--data-dir", str(folder / "floor"), "--model-url", model.url)
    command = ("bench.floor", *arguments, "--passages", str(passages))
    return Server(command, port=port, log=folder / "floor.log")


if __name__ == "__main__":
    sys.exit(main())
