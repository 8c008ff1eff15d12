"""Answer quality: load each judged set as a tenant's knowledge, ask its questions, compare with anchors and targets.

Run with `python -m bench.quality [set …]`, `--help` for more.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bench.anchors import ANCHORS, LEAST_ANSWERED, LEAST_REFUSED, MOST_LOST, REFUSAL_SET
from bench.client import CallFailed, Client, Progress
from bench.measure import Quality, measure
from bench.report import machine, machine_line, table, write
from bench.servers import Platform, end_cleanly
from bench.sets import SET_NAMES, SetsMissing, load_set

_VARIANT_QUERIES = 300
_TOLERANCE = 0.0005  # anchors are given to three places


async def run(arguments: argparse.Namespace) -> list[Quality]:
    """Measure the sets that were asked for, one tenant each."""
    results: list[Quality] = []
    async with _client(arguments) as client:
        for name in arguments.sets:
            results.append(await _measured(client, name, arguments))
            print("  " + " · ".join(_findings(results[-1]) or ["every target reached"]), flush=True)
            if not arguments.no_write:
                _write(results, arguments)
    return results


def _write(results: Sequence[Quality], arguments: argparse.Namespace) -> None:
    """Write what is known so far: a long run that is ended early has not been for nothing."""
    markdown = report(results, whole=arguments.limit_queries is None)
    write("quality", markdown, {"machine": machine(), "sets": [quality.as_json() for quality in results]})


async def _measured(client: Client, name: str, arguments: argparse.Namespace) -> Quality:
    questions = load_set(name)
    tenant = await client.make_tenant(f"quality {name}")
    begun = time.perf_counter()
    count = len(questions.documents)
    passages = await client.load(
        tenant, questions.documents, sent=_progress(name, "sent", count), ready=_progress(name, "ready", count)
    )
    print(f"{name}: {passages} passages in {time.perf_counter() - begun:.0f} s; asking …", flush=True)
    variants = arguments.variants if arguments.variants is not None else _VARIANT_QUERIES
    quality = await measure(client, tenant, questions, passages, limit=arguments.limit_queries, variant_limit=variants)
    print(f"{name}: {_shown(quality)}", flush=True)
    return quality


@asynccontextmanager
async def _client(arguments: argparse.Namespace) -> AsyncIterator[Client]:
    """Give a client of the platform named, or of one of our own."""
    if arguments.api_url:
        async with Client(arguments.api_url, arguments.api_token) as client:
            yield client
        return
    with tempfile.TemporaryDirectory(prefix="xin-quality-", ignore_cleanup_errors=True) as folder:
        with Platform(Path(folder) / "data", {"SMART_MODE_ENABLED": "false"}) as platform:
            async with Client(platform.url, platform.token()) as client:
                yield client


def _progress(name: str, what: str, count: int) -> Progress:
    """Return what prints a line at each tenth."""
    step = max(1, count // 10)

    def tell(done: int) -> None:
        if done % step == 0 and count >= 500:
            print(f"{name}: {done}/{count} {what}", flush=True)

    return tell


def _findings(quality: Quality) -> list[str]:
    """Say what falls short of its target, one sentence each."""
    return list(_shortfalls(quality))


def _shortfalls(quality: Quality) -> Iterator[str]:
    anchor = ANCHORS.get(quality.name)
    if anchor and quality.ndcg is not None and quality.ndcg < anchor.target - _TOLERANCE:
        yield f"{quality.name}: nDCG@10 {quality.ndcg:.3f}, target {anchor.target:.3f}"
    if anchor and anchor.first_hit and (quality.first_hit or 0) < anchor.first_hit - _TOLERANCE:
        yield f"{quality.name}: first hit {quality.first_hit:.3f}, target {anchor.first_hit:.2f}"
    if quality.name == REFUSAL_SET and quality.refused is not None and quality.answered is not None:
        if quality.refused < LEAST_REFUSED:
            yield f"{quality.name}: {quality.refused:.1%} of the impossible refused, target {LEAST_REFUSED:.0%}"
        if quality.answered < LEAST_ANSWERED:
            yield f"{quality.name}: {quality.answered:.1%} of the others answered, target {LEAST_ANSWERED:.0%}"
    for name, found in quality.variants.items():
        lost = found["before"] - found["after"]
        if quality.name in ("pquad", "persianqa") and lost > MOST_LOST.get(name, 1.0) + _TOLERANCE:
            yield f"{quality.name}, {name}: loses {lost:.3f}, allowed {MOST_LOST[name]:.2f}"


def _shown(quality: Quality) -> str:
    figures = {
        "nDCG@10": quality.ndcg,
        "recall@5": quality.recall,
        "MRR@10": quality.reciprocal_rank,
        "first hit": quality.first_hit,
        "refused": quality.refused,
        "answered": quality.answered,
        "AUROC": quality.auroc,
    }
    shown = "  ".join(f"{name} {_figure(value)}" for name, value in figures.items())
    typed = "  ".join(f"{name} {found['before']:.3f}→{found['after']:.3f}" for name, found in quality.variants.items())
    return f"{shown}  {quality.median_ms:.0f} ms  {typed}"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def report(results: Sequence[Quality], *, whole: bool) -> str:
    """Return the Markdown of a run."""
    shortfalls = [sentence for quality in results for sentence in _findings(quality)]
    parts = [
        machine_line(machine()) + ("" if whole else " A part of the questions only."),
        "**Ranking** (through the public API, by document). For clinc150 *first hit* is label accuracy by the nearest.",
        _ranking_table(results),
        "**Knowing that one does not know**: unanswerable refused and answerable answered at the default `min_score`.",
        _refusal_table(results),
        "**As people type** (nDCG@10 of the same questions, typed well → so).",
        _variants_table(results),
        "**Short of the target**: " + ("; ".join(shortfalls) + "." if shortfalls else "none."),
    ]
    return "\n\n".join(parts)


def _ranking_table(results: Sequence[Quality]) -> str:
    head = ["set", "nDCG@10", "target", "BM25", "+ folded, stemmed", "+ 4-grams", "recall@5", "MRR@10", "first hit"]
    rows = []
    for quality in results:
        anchor = ANCHORS.get(quality.name)
        compared = (
            [_figure(v) for v in (anchor.target, anchor.bm25, anchor.folded, anchor.grams)] if anchor else ["–"] * 4
        )
        own = [_figure(v) for v in (quality.recall, quality.reciprocal_rank, quality.first_hit)]
        rows.append([quality.name, f"**{_figure(quality.ndcg)}**", *compared, *own])
    return table(head, rows)


def _refusal_table(results: Sequence[Quality]) -> str:
    head = ["set", "refused of unanswerable", "answered of answerable", "AUROC", "min_score"]
    rows = [[q.name, _figure(q.refused), _figure(q.answered), _figure(q.auroc), f"{q.min_score:.2f}"] for q in results]
    return table(head, rows)


def _variants_table(results: Sequence[Quality]) -> str:
    rows = [
        [quality.name, name, str(found["queries"]), f"{found['before']:.3f} → {found['after']:.3f}"]
        for quality in results
        for name, found in quality.variants.items()
    ]
    return table(["set", "typed", "questions", "nDCG@10"], rows)


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("sets", nargs="*", default=SET_NAMES, help=f"of: {', '.join(SET_NAMES)} (default: all)")
    parser.add_argument("--limit-queries", type=int, help="ask a seeded sample of so many questions of each set")
    parser.add_argument("--variants", type=int, help=f"questions asked mistyped (default {_VARIANT_QUERIES}; 0: none)")
    parser.add_argument("--api-url", help="measure this running platform instead of one of its own")
    parser.add_argument("--api-token", help="its admin token, as `xin token` prints")
    parser.add_argument("--no-write", action="store_true", help="only print; leave bench/README.md as it is")
    arguments = parser.parse_args(given)
    if unknown := set(arguments.sets) - set(SET_NAMES):
        parser.error(f"no such set: {', '.join(sorted(unknown))}")
    if arguments.api_url and not arguments.api_token:
        parser.error("--api-url needs --api-token")
    return arguments


def main() -> int:
    """Measure, print, write; exit 0 even below a target: this is a measurement, not a gate."""
    arguments = _arguments()
    end_cleanly()
    try:
        results = asyncio.run(run(arguments))
    except (SetsMissing, CallFailed) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print("\n" + report(results, whole=arguments.limit_queries is None))
    return 0


if __name__ == "__main__":
    sys.exit(main())
