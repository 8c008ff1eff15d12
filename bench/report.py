"""Writes results: a table between markers in `bench/README.md`, and the figures as JSON."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
README = FOLDER / "README.md"
RESULTS = FOLDER / "results"


def machine() -> dict[str, Any]:
    """Describe where and when a run is made; the load average tells what else the machine does at that moment."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load_average": round(os.getloadavg()[0], 1),
        "memory_gb": round(memory / 2**30, 1),
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def machine_line(described: dict[str, Any]) -> str:
    """Say it in a line."""
    line = (
        "{date}, {cores} cores (load generator included), {memory_gb} GB, Python {python}, load average {load_average}."
    )
    return line.format(**described)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(name: str, markdown: str, figures: dict[str, Any]) -> None:
    """Put a report between its markers in the README and its figures into `results/<name>.json`."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    text = README.read_text()
    before, rest = text.split(begin, 1)
    after = rest.split(end, 1)[1]
    README.write_text(f"{before}{begin}\n{markdown.strip()}\n{end}{after}")
