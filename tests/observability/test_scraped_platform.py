"""A real Prometheus scrapes a started platform: every series is there, every chart has data, alerts fire at faults."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.conftest import TEST_KEYS, bearer
from tests.integration.channels.conftest import Receiver
from tests.integration.dialogue.model_server import ModelServer, run_model_server
from tests.observability.test_rules import rules
from tests.observability.tools import PROMETHEUS, ROOT, program
from tests.ports import free_port
from tests.started import Platform, started
from tests.whole import signed

SELDOM = {
    "bots": "a bot that listens",
    "automation_jobs_total": "a rule that ran",
    "automation_firings_total": "a rule that was started",
    "live_sockets_closed_total": "a socket that was closed",
}
"""Series that only this makes; charts show 0 until then."""

PROBES = ("/health", "/health/live", "/health/ready", "/api/health", "/metrics", "/api/metrics")
"""Of the orchestrator; what probes ask is left out of charts by these names."""


class _Prometheus:
    """A Prometheus that scrapes every second."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self._url, self._http = url, http

    async def get(self, path: str, **query: str) -> Any:
        async with self._http.get(f"{self._url}/api/v1/{path}", params=query) as answer:
            body = await answer.json()
        assert body["status"] == "success", body
        return body["data"]

    async def value(self, query: str) -> list[Any]:
        found: list[Any] = (await self.get("query", query=query))["result"]
        return found

    async def until(self, query: str, holds: Callable[[list[Any]], bool], seconds: float = 90) -> list[Any]:
        async with asyncio.timeout(seconds):
            while not holds(found := await self.value(query)):  # noqa: ASYNC110 - Prometheus tells nobody
                await asyncio.sleep(0.3)
        return found


def _configured(folder: Path, ports: dict[str, int]) -> Path:
    """The repository's configuration with this machine's targets; looks every second, and alerts do not wait."""
    made = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    made["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    made.pop("alerting")
    jobs = {job["job_name"] for job in made["scrape_configs"]}
    assert jobs >= set(ports)
    made["scrape_configs"] = [
        {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]} for name, port in ports.items()
    ]
    (folder / "rules").mkdir()
    for file in (PROMETHEUS / "rules").glob("*.yml"):
        text = re.sub(r"^( +)(for|interval): .*$", r"\1\2: 1s", file.read_text(), flags=re.MULTILINE)
        (folder / "rules" / file.name).write_text(text)
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump(made))
    return config


@asynccontextmanager
async def _scraping(folder: Path, ports: dict[str, int]) -> AsyncIterator[_Prometheus]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        program("prometheus"), f"--config.file={_configured(folder, ports)}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as http:
            prometheus = _Prometheus(f"http://127.0.0.1:{port}", http)
            async with asyncio.timeout(120):
                while True:
                    try:
                        await prometheus.value("up")
                        break
                    except (aiohttp.ClientError, json.JSONDecodeError):
                        await asyncio.sleep(0.2)
            yield prometheus
    finally:
        process.terminate()
        await process.wait()


class _Visitors:
    """What goes on in the platform: questions, messages of a program, knowledge that is read."""

    def __init__(self, platform: Platform, gateway: str, receiver: Receiver) -> None:
        self._api, self._gateway, self._receiver = platform.url, gateway, receiver
        self._number = 0

    async def begin(self, http: aiohttp.ClientSession) -> None:
        """Connect a program's channel, and give knowledge that takes a while to read."""
        tenant = await self._post(http, "/admin/tenants", {"name": "Load"})
        body = {"tenant_id": tenant["id"], "channel_type": "webhook", "display_name": "Program",
                "credentials": {"webhook_url": self._receiver.url}}  # fmt: skip
        self._channel = await self._post(http, "/admin/channels", body)
        text = "\n\n".join(
            f"## Chapter {n}\n\nPart {n} of the manual explains the valve {n}. " * 6 for n in range(2_000)
        )
        path = f"/v1/brands/{tenant['default_brand_id']}/knowledge"
        await self._post(http, path, {"title": "Manual", "content": text})
        for probe in (*(self._api + path for path in PROBES), f"{self._gateway}/webhooks/health"):
            async with http.get(probe) as answer:
                assert answer.status == 200
        for unproven in (f"{self._gateway}/webchat/webhook", f"{self._api}/v1/widget/sessions"):
            async with http.post(unproven, json={}) as answer:
                assert 400 <= answer.status < 500

    async def come(self, http: aiohttp.ClientSession) -> None:
        """One visitor of each kind."""
        self._number += 1
        question = {"sessionId": f"s{self._number}", "message": "What is Xin?"}
        async with http.post(f"{self._api}/api/chat", json=question) as answer:
            assert answer.status == 200
        async with http.post(f"{self._api}/api/chat", json={**question, "message": "How tall is the Eiffel tower?"}):
            pass
        raw = orjson.dumps({"session_id": "s", "message_id": f"m{self._number}", "text": "What is Xin?"})
        url = f"{self._gateway}/webhooks/webhook/{self._channel['id']}"
        async with http.post(url, data=raw, headers=signed(self._channel["secret"], raw)) as answer:
            assert answer.status == 200

    async def _post(self, http: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> dict[str, Any]:
        raw, headers = io.BytesIO(orjson.dumps(body)), {**bearer(), "Content-Type": "application/json"}
        async with http.post(self._api + path, data=raw, headers=headers) as answer:
            assert answer.status in (201, 202), await answer.text()
            found: dict[str, Any] = await answer.json()
            return found


@asynccontextmanager
async def _observed(folder: Path) -> AsyncIterator[tuple[Platform, _Prometheus, _Visitors, ModelServer]]:
    names = ("GATEWAY_PORT", "GATEWAY_METRICS_PORT", "INGEST_METRICS_PORT", "AUTOMATION_METRICS_PORT")
    ports = {name: free_port() for name in names}
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/", receiver.take)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        server, model = await enter(TestServer(app)), await enter(run_model_server())
        receiver.url = str(server.make_url("/"))
        environment = {
            "ADMIN_JWT_SECRET": TEST_KEYS.admin, "OPENAI_API_KEY": "key", "OPENAI_BASE_URL": model.url,
            "XIN_FETCH_ALLOW_HOSTS": "127.0.0.1", "CHAT_LIMIT_VISITOR": "100000", "CHAT_LIMIT_ADDRESS": "100000",
        }  # fmt: skip
        platform = await enter(started(folder, **environment, **{name: str(port) for name, port in ports.items()}))
        (folder / "prometheus").mkdir()
        jobs = {
            "xin-orchestrator": int(platform.url.rsplit(":", 1)[1]),
            "xin-channel-gateway": ports["GATEWAY_METRICS_PORT"],
            "xin-ingestion-worker": ports["INGEST_METRICS_PORT"],
            "xin-automation-worker": ports["AUTOMATION_METRICS_PORT"],
        }
        prometheus = await enter(_scraping(folder / "prometheus", jobs))
        yield platform, prometheus, _Visitors(platform, f"http://127.0.0.1:{ports['GATEWAY_PORT']}", receiver), model


def _queries() -> dict[str, str]:
    """Every query of a chart, by dashboard and panel, as Grafana would send it over ten seconds."""
    found = {}
    for file in sorted((ROOT / "grafana/dashboards").glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                if target["datasource"]["type"] == "prometheus":
                    name = f"{file.stem}: {panel['title']} ({target['legendFormat']})"
                    found[name] = target["expr"].replace("$__rate_interval", "30s")
    return found


def _series() -> set[str]:
    """The names of all series that charts and alerts look at."""
    text = " ".join([*_queries().values(), *(rule["expr"] for rule in rules().values())])
    text = re.sub(r"\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)|\"[^\"]*\"", " ", text)
    functions = {
        "sum", "max", "min", "by", "rate", "topk", "or", "and", "vector", "deriv", "increase", "le", "count", "offset",
        "unless",
    }  # fmt: skip
    names = {name for name in re.findall(r"[a-z][a-z0-9_]+", text) if name not in functions}
    return names - {"histogram_quantile"}


def _labels() -> set[tuple[str, str, str]]:
    """Series, label and value of all that charts and alerts select by, and of what they leave out."""
    found = set()
    for text in (*_queries().values(), *(rule["expr"] for rule in rules().values())):
        for name, selected in re.findall(r"([a-z][a-z0-9_]+)\{([^}]*)\}", text):
            for label, values in re.findall(r'([a-z_]+)(?:=~|!~|!=|=)"([^"]*)"', selected):
                found |= {(name, label, value) for value in values.split("|")}
    return found


def test_the_values_of_labels_are_found() -> None:
    found = _labels()
    assert {("queue_jobs", "status", "failed"), ("queue_oldest_seconds", "queue", "turns")} <= found
    assert ("http_requests_total", "route", "/webhooks/.+") in found
    assert len(found) > 30


def test_the_names_of_series_are_found() -> None:
    names = _series()
    assert {"http_requests_total", "llm_circuit_state", "up", "automation_queue_depth", "bots"} <= names
    assert len(names) > 30


@pytest.mark.timeout(900)
async def test_series_charts_and_alerts_over_a_started_platform(data_dir: Path) -> None:
    program("prometheus")
    async with _observed(data_dir) as (platform, prometheus, visitors, model), aiohttp.ClientSession() as http:
        await visitors.begin(http)
        for _ in range(12):
            await visitors.come(http)
            await asyncio.sleep(0.7)
        await prometheus.until("sum(deliveries_total)", bool)
        await prometheus.until("max(handoff_waiting)", bool)
        await _series_exist(prometheus)
        await _labels_exist(prometheus)
        await _charts_have_data(prometheus)
        await _figures_move(prometheus, visitors, http)
        await _alerts_follow_faults(prometheus, visitors, http, model, platform)


async def _series_exist(prometheus: _Prometheus) -> None:
    wanted = _series() - set(SELDOM)
    for _ in range(100):  # a busy machine is scraped late
        missing = wanted - set(await prometheus.get("label/__name__/values"))
        if not missing:
            break
        await asyncio.sleep(0.3)
    assert missing == set()


async def _labels_exist(prometheus: _Prometheus) -> None:
    """A chart that selects by a value that nothing has is empty for good, or leaves out nothing."""
    wanted = {one for one in _labels() if one[0] not in SELDOM}
    for _ in range(100):
        missing = {
            (name, label, value)
            for name, label, value in wanted
            if not await prometheus.value(f'count({name}{{{label}=~"{value}"}})')
        }
        if not missing:
            break
        await asyncio.sleep(0.3)
    assert missing == set()


async def _charts_have_data(prometheus: _Prometheus) -> None:
    for _ in range(100):
        empty = [name for name, query in _queries().items() if not await prometheus.value(query)]
        if not empty:
            break
        await asyncio.sleep(0.3)
    assert empty == []


async def _figures_move(prometheus: _Prometheus, visitors: _Visitors, http: aiohttp.ClientSession) -> None:
    names = ("http_requests_total", "turns_total", "llm_tokens_total", "llm_cost_usd_total", "retrieval_seconds_count",
             "first_token_seconds_count", "deliveries_total", "channel_events_total", "refusals_total")  # fmt: skip
    before = {name: float((await prometheus.value(f"sum({name})"))[0]["value"][1]) for name in names}
    await visitors.come(http)
    for name, value in before.items():
        await prometheus.until(f"sum({name}) > {value}", bool)


async def _circuit(platform: Platform, http: aiohttp.ClientSession) -> str:
    async with http.get(f"{platform.url}/api/metrics") as answer:
        return str((await answer.json())["openai"]["circuit_state"])


async def _alerts_follow_faults(
    prometheus: _Prometheus, visitors: _Visitors, http: aiohttp.ClientSession, model: ModelServer, platform: Platform
) -> None:
    firing = 'ALERTS{alertstate="firing",alertname="%s"}'
    assert not await prometheus.value(firing % "LlmFailuresHigh")
    model.status = 500
    for name in ("LlmFailuresHigh", "LlmCircuitOpen"):
        async with asyncio.timeout(120):
            while not await prometheus.value(firing % name):
                await visitors.come(http)  # who comes in half a minute would find it half open; the next call opens it
                await asyncio.sleep(0.5)
    async with asyncio.timeout(120):
        while await _circuit(platform, http) != "open":
            await visitors.come(http)
    platform.process.kill()
    for name in ("GatewayHealthCheckFailed", "ProcessDown"):
        await prometheus.until(firing % name, bool)
