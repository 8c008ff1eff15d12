"""Write Grafana's dashboards: `python -m scripts.dashboards`; with `--check` say which is not current."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chatbot.automation.queueing import QUEUE as AUTOMATION_QUEUE
from chatbot.channels.queueing import DELIVERY_QUEUE, TURN_QUEUE
from chatbot.core.metrics import NOT_ASKED_FOR
from scripts.generated import keep_current

FOLDER = Path(__file__).parents[1] / "deploy/observability/grafana/dashboards"
_COLUMNS, _WIDTH, _HEIGHT = 2, 12, 8
_PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}
_LOKI = {"type": "loki", "uid": "loki"}


@dataclass(frozen=True)
class Panel:
    """A chart: queries by their legend, the unit, and where a threshold is drawn."""

    title: str
    queries: dict[str, str]
    unit: str = "short"
    threshold: float | None = None
    kind: str = "timeseries"


@dataclass(frozen=True)
class Dashboard:
    """A page of charts."""

    title: str
    panels: list[Panel] = field(default_factory=list)

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return FOLDER / f"{self.uid}.json"

    @property
    def uid(self) -> str:
        """Its name in addresses."""
        return "-".join(self.title.lower().replace("&", "and").split())


def _rate(metric: str, by: str = "", where: str = "") -> str:
    grouped = f" by ({by})" if by else ""
    return f"sum{grouped} (rate({metric}{{{where}}}[$__rate_interval]))"


def _quantile(share: float, metric: str, where: str = "") -> str:
    return f"histogram_quantile({share}, {_rate(f'{metric}_bucket', 'le', where)})"


_ASKED = f'route!~"{NOT_ASKED_FOR}"'
_FAILED_CALLS = 'outcome!~"completed|cancelled"'

_ERRORS = f'status_code="5xx",{_ASKED}'
_GATEWAY = 'route=~"/webhooks/.+|/webchat/.+|/v1/widget/.+"'
_READING = f'queue!~"{TURN_QUEUE}|{DELIVERY_QUEUE}|{AUTOMATION_QUEUE}"'
"""Queues of ingestion workers: all but the others, for INGEST_QUEUE_NAME says what theirs is called."""

_READERS = 'job=~"xin-ingestion-worker|xin-orchestrator"'
_OR_NONE = " or vector(0)"

API = Dashboard("Xin API SLOs", [
    Panel("Error rate",
          {"5xx": f"({_rate('http_requests_total', where=_ERRORS)}{_OR_NONE}) / "
           + _rate("http_requests_total", where=_ASKED)},
          "percentunit", 0.005),
    Panel("Latency",
          {f"p{int(100 * share)}": _quantile(share, "http_request_latency_seconds", _ASKED)
           for share in (0.5, 0.95, 0.99)},
          "s", 1.2),
    Panel("Requests by status", {"{{status_code}}": _rate("http_requests_total", "status_code", _ASKED)}, "reqps"),
    Panel("Slowest routes, P95",
          {"{{route}}": "topk(8, histogram_quantile(0.95, "
           + _rate("http_request_latency_seconds_bucket", "le, route", _ASKED) + "))"}, "s"),
    Panel("Answers, P95",
          {"{{channel_type}}": "histogram_quantile(0.95, "
           + _rate("chat_turn_duration_seconds_bucket", "le, channel_type") + ")",
           "first token": _quantile(0.95, "first_token_seconds"),
           "retrieval": _quantile(0.95, "retrieval_seconds")}, "s", 10),
    Panel("Turns by how they were answered", {"{{mode}}": _rate("turns_total", "mode")}, "ops"),
    Panel("Turns by how they ended", {"{{outcome}}": _rate("chat_turn_duration_seconds_count", "outcome")}, "ops"),
    Panel("Model calls that fail",
          {"failed": f"({_rate('llm_requests_total', where=_FAILED_CALLS)}{_OR_NONE}) / {_rate('llm_requests_total')}"},
          "percentunit", 0.05),
    Panel("Model circuit (2 is open)", {"{{model}}": "max by (model) (llm_circuit_state)"}, threshold=2),
    Panel("Tokens a minute", {"{{direction}}": "60 * " + _rate("llm_tokens_total", "direction")}),
    Panel("Cost of the last hour, US dollars",
          {"{{tenant}}": "topk(10, sum by (tenant) (increase(llm_cost_usd_total[1h])))"}, "currencyUSD"),
    Panel("Database", {"connections": "max(database_connections)", "most": "max(database_max_connections)"}),
    Panel("Database size", {"size": "max(database_size_bytes)"}, "bytes"),
    Panel("Disk and memory",
          {"disk free": "min(disk_free_ratio)", "inodes free": "min(disk_free_inodes_ratio)",
           "memory used": "max(memory_used_ratio)"}, "percentunit", 0.8),
    Panel("Memory of processes",
          {"{{job}}": 'sum by (job) (process_resident_memory_bytes{job=~"xin-.+"})'}, "bytes"),
])  # fmt: skip

INGESTION = Dashboard("Xin Ingestion Health", [
    Panel("Jobs that wait or run", {"jobs": "max(ingestion_queue_depth)"}),
    Panel("Lag by tenant",
          {"{{tenant}}": f"topk(10, max by (tenant) (ingestion_lag_seconds)){_OR_NONE}"}, "s", 600),
    Panel("Running now by tenant", {"{{tenant}}": f"topk(10, sum by (tenant) (ingestion_in_flight)){_OR_NONE}"}),
    Panel("Oldest job that is due", {"{{queue}}": f"max by (queue) (queue_oldest_seconds{{{_READING}}})"}, "s", 600),
    Panel("Jobs given up", {"{{queue}}": f'max by (queue) (queue_jobs{{{_READING},status="failed"}})'}),
    Panel("Memory of workers", {"{{instance}}": f"process_resident_memory_bytes{{{_READERS}}}"}, "bytes"),
])  # fmt: skip

AUTOMATION = Dashboard("Xin Automation Health", [
    Panel("Queue depth", {"jobs": "max(automation_queue_depth)"}, threshold=50),
    Panel("Oldest job that is due", {"age": "max(automation_lag_seconds)"}, "s", 600),
    Panel("Failures in ten minutes", {"failed": "sum(increase(automation_failures_total[10m]))"}, threshold=5),
    Panel("Jobs that ended", {"{{status}}": _rate("automation_jobs_total", "status") + _OR_NONE}, "ops"),
    Panel("Rules that were started", {"{{outcome}}": _rate("automation_firings_total", "outcome") + _OR_NONE}, "ops"),
    Panel("Jobs of the queue", {"{{status}}": 'max by (status) (queue_jobs{queue="' + AUTOMATION_QUEUE + '"})'}),
])  # fmt: skip

GATEWAY = Dashboard("Widget & Gateway", [
    Panel("Request rate", {"{{route}}": _rate("http_requests_total", "route", _GATEWAY)}, "reqps"),
    Panel("Requests of providers",
          {"{{channel_type}} {{outcome}}": _rate("channel_requests_total", "channel_type, outcome")}, "reqps"),
    Panel("Open sockets", {"sockets": "sum(live_sockets)"}),
    Panel("Sockets closed", {"{{code}}": _rate("live_sockets_closed_total", "code") + _OR_NONE}, "ops"),
    Panel("Deliveries", {"{{channel_type}} {{outcome}}": _rate("deliveries_total", "channel_type, outcome")}, "ops"),
    Panel("Delivery, P95", {"P95": _quantile(0.95, "delivery_seconds")}, "s"),
    Panel("Outbox", {"{{status}}": "max by (status) (outbox_depth)"}),
    Panel("Bots", {"{{channel_type}} {{state}}": f"sum by (channel_type, state) (bots){_OR_NONE}"}),
    Panel("People who are waited for",
          {"waiting": "max(handoff_waiting)", "longest, seconds": "max(handoff_oldest_wait_seconds)"}),
    Panel("Questions without an answer", {"{{reason}}": _rate("refusals_total", "reason") + _OR_NONE}, "ops"),
    Panel("Log of the adapters", {"": '{component="channel_gateway"} | json'}, kind="logs"),
])  # fmt: skip

DASHBOARDS = [API, INGESTION, AUTOMATION, GATEWAY]


def document(page: Dashboard) -> dict[str, Any]:
    """Return a dashboard as Grafana provisions it."""
    return {
        "uid": page.uid,
        "title": page.title,
        "tags": ["xin"],
        "timezone": "utc",
        "schemaVersion": 41,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "annotations": {"list": [_alerts()]},
        "panels": [_panel(number, panel) for number, panel in enumerate(page.panels)],
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    source = _LOKI if panel.kind == "logs" else _PROMETHEUS
    place = {
        "x": number % _COLUMNS * _WIDTH, "y": number // _COLUMNS * _HEIGHT, "w": _WIDTH, "h": _HEIGHT
    }  # fmt: skip
    made: dict[str, Any] = {
        "id": number + 1,
        "type": panel.kind,
        "title": panel.title,
        "datasource": source,
        "gridPos": place,
        "targets": [
            {"refId": chr(ord("A") + place), "datasource": source, "expr": query, "legendFormat": legend}
            for place, (legend, query) in enumerate(panel.queries.items())
        ],
    }
    if panel.kind != "logs":
        made["fieldConfig"] = {"defaults": _defaults(panel), "overrides": []}
    return made


def _defaults(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.threshold is not None:
        steps.append({"color": "red", "value": panel.threshold})
    drawn = {"thresholdsStyle": {"mode": "line" if panel.threshold is not None else "off"}, "fillOpacity": 8}
    return {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}, "custom": drawn}


def _alerts() -> dict[str, Any]:
    """Alerts that fire are drawn over every chart."""
    return {
        "name": "Alerts", "enable": True, "iconColor": "red", "datasource": _PROMETHEUS,
        "expr": 'ALERTS{alertstate="firing"}', "titleFormat": "{{alertname}}", "step": "60s",
    }  # fmt: skip


def stale_files() -> dict[Path, str]:
    """Return each file that is not as this script says, with what belongs in it."""
    wanted = {page.file: json.dumps(document(page), indent=1, ensure_ascii=False) + "\n" for page in DASHBOARDS}
    return {path: text for path, text in wanted.items() if not path.exists() or path.read_text() != text}


def main() -> int:
    """Write the files, or say which are not current (exit 1)."""
    return keep_current(__doc__, stale_files(), "`python -m scripts.dashboards`")


if __name__ == "__main__":
    raise SystemExit(main())
