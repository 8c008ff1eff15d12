"""Docs and public surface: each setting is documented, each documented target and file exists."""

import re
import tomllib
from pathlib import Path

from sqlalchemy.pool import QueuePool

from chatbot.core.settings import Settings
from chatbot.db.sessions import Database
from chatbot.jobs.app import make_app

ROOT = Path(__file__).parents[2]


def test_every_setting_is_documented_and_no_other() -> None:
    table = "\n".join(line for line in (ROOT / "docs/SETTINGS.md").read_text().splitlines() if line.startswith("| `"))
    documented = {name for line in table.splitlines() for name in re.findall(r"`([A-Z][A-Z_]+)`", line.split("|")[1])}
    assert documented == {name.upper() for name in Settings.model_fields}


def test_make_targets_named_in_docs_exist() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"`make ([a-z0-9-]+)", page.read_text()):
            assert target in targets, f"{page.name} names `make {target}`"


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_every_make_target_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, flags=re.MULTILINE)
    assert phony
    explained = set(re.findall(r"^([a-z0-9-]+):.*## ", makefile, flags=re.MULTILINE))
    assert set(phony.group(1).split()) <= explained


def test_what_the_platform_needs_is_in_the_lock_that_make_run_installs() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements/run.txt").read_text(), flags=re.MULTILINE))
    assert {re.split(r"[^A-Za-z0-9-]", name, maxsplit=1)[0].lower() for name in wanted} <= locked


_BESIDE = {"queue": 4, "its worker listens": 1, "bus": 1, "leads: sweeper, absence, search": 3}
"""Connections of an orchestrator beside its pools: no process that runs alone has more."""
_ALL_IN_ONE = {"queue": 4, "its workers listen": 4, "bus": 1, "leads: those, retention, watchdog": 5}


def _pooled(size: int) -> int:
    database = Database("postgresql://owner@127.0.0.1:1/none", pool_size=size)
    pools = [pool.engine.sync_engine.pool for pool in (database._tenant_pool, database._platform_pool)]
    assert all(isinstance(pool, QueuePool) for pool in pools)
    return sum(pool.size() for pool in pools if isinstance(pool, QueuePool))


def test_what_pages_say_of_connections_is_what_a_process_takes() -> None:
    for size in (1, 7, 8, 10, 50, 200):
        assert _pooled(size) == 2 * size + 2 * max(2, size // 4)
    queue = make_app("postgresql://owner@127.0.0.1:1/none").connector
    assert queue._pool_args["max_size"] == _BESIDE["queue"]  # type: ignore[attr-defined]
    default = Settings.model_fields["database_pool_size"].default
    alone, together = (_pooled(default) + sum(beside.values()) for beside in (_BESIDE, _ALL_IN_ONE))
    formula = "2 × `DATABASE_POOL_SIZE` + 2 × max(2, `DATABASE_POOL_SIZE` ÷ 4) + " + str(sum(_BESIDE.values()))
    for page in ("SETTINGS", "RUNBOOK"):
        words = (ROOT / f"docs/{page}.md").read_text()
        assert formula in words, page
        assert re.search(rf"\b{alone} by default[;,] {together} where all is one process", words), page
    capacity = (ROOT / "docs/CAPACITY.md").read_text()
    assert f"up to {alone}: 2 × {default} + 2 × max(2, {default} ÷ 4) + {sum(_BESIDE.values())}" in capacity
