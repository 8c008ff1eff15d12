"""The runbook: its commands are run as they stand against a started platform, and whatever it names exists."""

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from prometheus_client import REGISTRY

from chatbot.apps.api import api_document
from chatbot.core.settings import Settings
from tests.observability.test_rules import rules
from tests.ports import free_port
from tests.started import ROOT, started

PAGE = ROOT / "docs/RUNBOOK.md"
KINDS = {"run", "host", "cluster", "cloud"}


class Block(NamedTuple):
    """Commands of the runbook: their kind, the line they begin at, and the heading above."""

    kind: str
    line: int
    heading: str
    text: str


def blocks() -> list[Block]:
    """Every fenced block, in order."""
    found: list[Block] = []
    heading, opened, kind, body = "", 0, "", []
    for number, line in enumerate(PAGE.read_text().splitlines(), start=1):
        if line.startswith("```") and not opened:
            language, _, kind = line.removeprefix("```").partition(" ")
            assert language == "bash", f"line {number}: a block of the runbook is bash"
            assert kind in KINDS, f"line {number}: mark the block by one of {sorted(KINDS)}"
            opened, body = number, []
        elif line.startswith("```"):
            found.append(Block(kind, opened, heading, "\n".join(body)))
            opened = 0
        elif opened:
            body.append(line)
        elif line.startswith("#"):
            heading = line.lstrip("# ")
    return found


def _text() -> str:
    return PAGE.read_text()


def test_every_alert_has_its_section_and_no_other_is_described() -> None:
    after = _text().split("## Alerts")[1].split("## Playbooks")[0]
    assert re.findall(r"^### (\w+)$", after, flags=re.MULTILINE) != []
    assert set(re.findall(r"^### (\w+)$", after, flags=re.MULTILINE)) == set(rules())


def named_paths(text: str) -> set[str]:
    """Files and folders of the repository that a page names; `deploy/xin-…` is kubectl's word for a deployment."""
    return set(re.findall(r"(?<![\w./-])((?:docs|scripts|deploy(?!/xin-)|tests|services)/[\w./-]+\w)", text))


@pytest.mark.parametrize("page", ["RUNBOOK.md", "SECURITY.md", "FAULTS.md", "CAPACITY.md", "comms/status_template.md"])
def test_every_path_exists(page: str) -> None:
    made = {"deploy/compose/.env.dev"}  # by the first `make deploy-dev`
    paths = named_paths((ROOT / "docs" / page).read_text()) - made
    assert {path for path in paths if not (ROOT / path).exists()} == set()


def test_every_fault_that_is_tested_is_on_its_page() -> None:
    """`make test-faults` takes its tests from there."""
    page = (ROOT / "docs/FAULTS.md").read_text()
    assert {path for path in named_paths(page) if path.startswith("tests/faults")} == {
        f"tests/faults/{file.name}" for file in (ROOT / "tests/faults").glob("test_*.py")
    }
    assert "docs/FAULTS.md" in (ROOT / "Makefile").read_text()


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z][a-z-]+)(?=[`\s;)])", _text())) <= targets


def test_every_endpoint_exists() -> None:
    known = {
        re.sub(r"\{[^}]*\}", "{}", path): {method.upper() for method in methods}
        for path, methods in api_document()["paths"].items()
    }
    named = re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[\w/{}.-]+)`", _text())
    assert len(named) > 15
    for method, path in named:
        assert method in known.get(re.sub(r"\{[^}]*\}", "{}", path), set()), f"{method} {path}"
    for path in re.findall(r"\"\$API(/[\w/$.-]+)", _text()):
        shape = re.sub(r"\$\w+", "{}", path)
        assert shape in known or shape in {"/metrics", "/api/transcript-json/runbook"}, path


def test_every_series_exists() -> None:
    named = set(re.findall(r"\b([a-z]+_[a-z_]+(?:_total|_seconds|_ratio|_connections|_state|_requests))\b", _text()))
    known = {series for family in REGISTRY.collect() for series in (family.name, f"{family.name}_total")}
    assert named - {"max_connections"} <= known, named - known
    assert named


def test_every_setting_exists() -> None:
    known = {name.upper() for name in Settings.model_fields}
    named = set(re.findall(r"`([A-Z][A-Z]+_[A-Z_]+[A-Z])(?:=[^`]*)?`", _text()))
    own = {"ENV_FILE", "LOCUST_HOST", "CHANNEL_ID", "INGESTION_URL", "INGESTION_TOKEN"}
    assert named - own <= known, named - own - known
    assert len(named) > 20


def test_every_word_of_a_log_line_is_written_somewhere() -> None:
    source = (ROOT / "chatbot/core/telemetry.py").read_text()
    for words in ("tracing initialised", "tracing active", "distributed tracing disabled; no OTLP endpoint configured",
                  "tracing disabled; operating without OTLP exporter"):  # fmt: skip
        assert words in _text()
        assert words in source


@pytest.mark.timeout(900)
async def test_the_commands_work_as_they_stand(data_dir: Path) -> None:
    wanted = [block for block in blocks() if block.kind == "run"]
    assert len(wanted) > 15
    ports = {name: str(free_port()) for name in ("ORCHESTRATOR_PORT", "GATEWAY_PORT")}
    limits = {"CHAT_LIMIT_VISITOR": "100000", "CHAT_LIMIT_ADDRESS": "100000"}
    async with started(data_dir, **ports, **limits):
        script = "\n".join(
            f'echo "::: line {block.line}, {block.heading}"\n{block.text}' for block in wanted
        )  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            "bash", "-euo", "pipefail", "-c", script, cwd=ROOT,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={
                **os.environ, **ports, "XIN_DATA_DIR": str(data_dir),
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "API": f"http://127.0.0.1:{ports['ORCHESTRATOR_PORT']}",
                "GATEWAY": f"http://127.0.0.1:{ports['GATEWAY_PORT']}",
            },
        )  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), 840)
    text = output.decode(errors="replace")
    assert process.returncode == 0, text[-3000:]
    assert text.count("::: line") == len(wanted)
    assert "cited" in text.split("Backup and restore")[-1]


def test_names_in_a_cluster_are_those_of_the_chart() -> None:
    named = set(re.findall(r"(?:xin-platform|xin)-xin-platform-([a-z-]+)", _text()))
    templates = "\n".join(path.read_text() for path in (ROOT / "deploy/helm/xin-platform/templates").glob("*"))
    assert {"orchestrator", "channel-gateway", "ingestion-worker"} <= named
    for component in named:
        assert re.search(rf"\b{component}\b", templates), component
