"""Alerts fire when they should and are silent when they should not, reach whom they should, and say what to do."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from chatbot.core.metrics import NOT_ASKED_FOR
from scripts.dashboards import DASHBOARDS, stale_files
from scripts.deploy import canary
from tests.observability.tools import PROMETHEUS, ROOT, run

ALERTMANAGER = ROOT / "alertmanager/alertmanager.yml"
REPOSITORY = ROOT.parents[1]
WANTED = {
    "ApiErrorBudgetBurn", "ApiLatencyP95Breached", "GatewayHealthCheckFailed", "IngestionLagHigh", "AutomationBacklog",
    "AutomationFailuresSpike", "DiskSpaceLow", "MemoryHighAndGrowing", "LlmCircuitOpen", "LlmFailuresHigh",
    "ApiErrorRateHigh", "AnswersSlow", "BotDown", "ApiDown",
}  # fmt: skip


def rules() -> dict[str, dict[str, Any]]:
    """Every alert rule by its name."""
    files = sorted((PROMETHEUS / "rules").glob("*.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def _tests() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROMETHEUS / "tests/alerts.yml").read_text())
    return found


def test_every_promised_alert_is_there_with_words_severity_and_a_page_of_the_runbook() -> None:
    found = rules()
    assert set(found) >= WANTED
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").strip().lower()).replace(" ", "-")
        for line in (REPOSITORY / "docs/RUNBOOK.md").read_text().splitlines()
        if line.startswith("#")
    }
    for name, rule in found.items():
        assert rule["labels"]["severity"] in ("page", "ticket"), name
        assert rule["annotations"]["summary"], name
        link = rule["annotations"]["runbook_url"]
        assert link.startswith("https://docs.example.com/xin/RUNBOOK.md#"), name
        assert link.partition("#")[2] in anchors, f"{name}: docs/RUNBOOK.md has no such heading"


def test_each_alert_fires_when_it_should_and_is_silent_below_its_threshold() -> None:
    done = run("promtool", "test", "rules", PROMETHEUS / "tests/alerts.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    named = {test["name"] for test in _tests()["tests"]}
    for alert in rules():
        assert {f"{alert} fires", f"{alert} is silent"} <= named


@pytest.mark.parametrize(
    ("file", "threshold", "other"),
    [
        ("xin-api.yml", "> 0.005", "> 0.05"), ("xin-api.yml", "> 1.5", "> 3"), ("xin-work.yml", "> 1800", "> 600"),
        ("xin-work.yml", "> 50", "> 49"), ("xin-work.yml", "for: 10m", "for: 1m"), ("xin-model.yml", "> 0.05", "> 0.5"),
        ("xin-machine.yml", "< 0.10", "< 0.01"), ("xin-machine.yml", " and deriv(memory_used_ratio[30m]) > 0", ""),
    ],
)  # fmt: skip
def test_a_threshold_that_is_changed_is_noticed(tmp_path: Path, file: str, threshold: str, other: str) -> None:
    copy = tmp_path / "prometheus"
    shutil.copytree(PROMETHEUS, copy)
    text = (copy / "rules" / file).read_text()
    assert threshold in text
    (copy / "rules" / file).write_text(text.replace(threshold, other))
    assert run("promtool", "test", "rules", copy / "tests/alerts.yml").returncode != 0


def test_every_figure_of_requests_leaves_out_what_probes_and_prometheus_ask() -> None:
    """Answered in a millisecond every few seconds, they would hide what people wait for."""
    shown = [query for page in DASHBOARDS for panel in page.panels for query in panel.queries.values()]
    told = [rule["expr"] for rule in rules().values()]
    tried = [rule.query for rule in canary.criteria("xin-prod", "xin", 0.2)]
    selectors = re.findall(
        r"http_request[a-z_]+(?:\{([^}]*)\})?", " ".join([*shown, *told, *tried, canary.baseline_query("xin-prod")])
    )
    assert len(selectors) > 15
    assert [each for each in selectors if f'route!~"{NOT_ASKED_FOR}"' not in each and "route=~" not in each] == []
    assert canary.NOT_ASKED_FOR == NOT_ASKED_FOR


def test_prometheus_and_alertmanager_take_their_configuration() -> None:
    for done in (
        run("promtool", "check", "config", PROMETHEUS / "prometheus.yml"),
        run("amtool", "check-config", ALERTMANAGER),
    ):
        assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_reach_whom_they_should() -> None:
    for name, rule in rules().items():
        severity = rule["labels"]["severity"]
        done = run(
            "amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", f"alertname={name}",
            f"severity={severity}", "tenant=t",
        )  # fmt: skip
        assert done.stdout.strip() == {"page": "pager", "ticket": "tickets"}[severity], name


def test_no_address_of_a_receiver_stands_in_the_repository() -> None:
    found = yaml.safe_load(ALERTMANAGER.read_text())
    assert found["global"]["slack_api_url_file"] == "/etc/alertmanager/slack_url"
    urls = re.findall(r"https?://[^\s\"]+", ALERTMANAGER.read_text())
    assert all("example.com" in url for url in urls)


def test_logs_are_kept_seven_days() -> None:
    loki = yaml.safe_load((ROOT / "loki/loki.yml").read_text())
    assert loki["limits_config"]["retention_period"] == "168h"
    assert loki["compactor"]["retention_enabled"]


def test_every_file_of_the_stack_is_yaml_and_dashboards_are_current() -> None:
    files = [*ROOT.glob("*/*.yml"), *ROOT.glob("grafana/provisioning/*/*.yml")]
    assert len(files) >= 6
    for file in files:
        assert yaml.safe_load(file.read_text()), file
    stale = [path.name for path in stale_files()]
    assert not stale, f"{stale}: run `python -m scripts.dashboards`"
