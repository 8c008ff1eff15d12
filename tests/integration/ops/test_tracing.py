"""One trace from a message to its delivery, over two processes, a job and a model; named by the correlation id."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import orjson
import pytest

from chatbot.core import correlation
from chatbot.core.correlation import trace_id_of
from chatbot.core.ids import new_id
from chatbot.core.telemetry import trace_of
from chatbot.db.sessions import Database
from tests.conftest import TEST_KEYS, TenantRows, bearer
from tests.integration.channels.conftest import Receiver, receiver
from tests.integration.dialogue.model_server import run_model_server
from tests.integration.dialogue.platform import DOCUMENTS, add_knowledge
from tests.integration.ops.collector import Collector, Seen, collecting
from tests.ports import free_port
from tests.started import ROOT
from tests.whole import signed

__all__ = ["receiver"]
CORRELATION = str(new_id())


@asynccontextmanager
async def _process(name: str, ready: bytes, environment: dict[str, str], log: Path) -> AsyncIterator[None]:
    """Run one process of the platform until it says that it is ready; its log goes into a file."""
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chatbot", name, cwd=ROOT, env=environment, stderr=sink
        )
    try:
        async with asyncio.timeout(180):
            while ready not in _written(log):
                assert process.returncode is None, _written(log)
                await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 120)


def _written(log: Path) -> bytes:
    return log.read_bytes()


class _Fleet:
    """An orchestrator and a gateway of their own processes, and whatever they talk to."""

    def __init__(self, api: str, gateway: str, folder: Path) -> None:
        self.api, self.gateway, self.folder = api, gateway, folder

    def lines(self, name: str) -> list[dict[str, str]]:
        text = (self.folder / f"{name}.log").read_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@asynccontextmanager
async def _fleet(database_url: str, folder: Path, collector: Collector, model_url: str) -> AsyncIterator[_Fleet]:
    ports = {name: free_port() for name in ("ORCHESTRATOR_PORT", "GATEWAY_PORT")}
    environment = {
        **os.environ,
        **{name: str(port) for name, port in ports.items()},
        "GATEWAY_METRICS_PORT": "0",
        "XIN_DATA_DIR": str(folder),
        "DATABASE_URL": database_url,
        "ADMIN_JWT_SECRET": TEST_KEYS.admin,
        "EMBED_JWT_SECRET": TEST_KEYS.embed,
        "LOG_LEVEL": "DEBUG",
        "OPENAI_API_KEY": "key",
        "OPENAI_BASE_URL": model_url,
        "XIN_FETCH_ALLOW_HOSTS": "127.0.0.1",
        "EMBEDDER": "none",
        "OTEL_EXPORTER_ENDPOINT": collector.url,
        "OTEL_EXPORTER_HEADERS": "x-team=support,authorization=Bearer t",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    async with AsyncExitStack() as stack:
        for name, ready in (("orchestrator", b"orchestrator ready"), ("gateway", b"gateway ready")):
            await stack.enter_async_context(_process(name, ready, environment, folder / f"{name}.log"))
        yield _Fleet(
            f"http://127.0.0.1:{ports['ORCHESTRATOR_PORT']}", f"http://127.0.0.1:{ports['GATEWAY_PORT']}", folder
        )


async def test_a_message_is_one_trace_up_to_its_delivery(
    database: Database, database_url: str, tenant: TenantRows, tmp_path: Path, receiver: Receiver
) -> None:
    await add_knowledge(database, tenant, DOCUMENTS)
    async with collecting() as collector, run_model_server() as model:
        async with _fleet(database_url, tmp_path, collector, model.url) as fleet:
            await _ask(fleet, tenant, receiver)
            posted = await receiver.wait_for(1)
            names = {
                "POST /webhooks/{channel_type}/{channel_id}",
                "message",
                "turn",
                "retrieval",
                "llm.call",
                "delivery",
            }
            spans = await _spans(collector, names)
    assert posted[0]["message"]["text"]
    _is_joined(spans)
    assert {span.service for span in spans} == {"xin-gateway", "xin-orchestrator"}
    assert {span.service for span in spans if span.name in ("turn", "llm.call")} == {"xin-orchestrator"}
    assert collector.headers["x-team"] == "support"
    assert model.headers[-1]["X-Request-ID"] == CORRELATION
    for name in ("gateway", "orchestrator"):
        lines = fleet.lines(name)
        assert {"tracing initialised", "tracing active"} <= {line["event"] for line in lines}
        ids = {line["correlation_id"]: line["trace_id"] for line in lines if "correlation_id" in line}
        assert all(f"{trace_id_of(given):032x}" == trace for given, trace in ids.items())


async def _ask(fleet: _Fleet, tenant: TenantRows, receiver: Receiver) -> None:
    async with aiohttp.ClientSession() as http:
        body = {"tenant_id": str(tenant.id), "channel_type": "webhook", "display_name": "Program",
                "credentials": {"webhook_url": receiver.url}}  # fmt: skip
        async with http.post(f"{fleet.api}/admin/channels", json=body, headers=bearer()) as answer:
            channel = await answer.json()
        raw = orjson.dumps({"session_id": "s", "message_id": "m1", "text": "How do I get a refund?"})
        headers = {**signed(channel["secret"], raw), "X-Request-ID": CORRELATION}
        url = f"{fleet.gateway}/webhooks/webhook/{channel['id']}"
        async with http.post(url, data=raw, headers=headers) as answer:
            assert answer.status == 200, await answer.text()


async def _spans(collector: Collector, wanted: set[str]) -> list[Seen]:
    trace = CORRELATION.replace("-", "")
    async with asyncio.timeout(60):
        while not wanted <= {span.name for span in collector.trace(trace)} or not _whole(collector.trace(trace)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return collector.trace(trace)


def _whole(spans: list[Seen]) -> bool:
    """Whether no span waits for its parent, which the other process may tell later."""
    ids = {span.id for span in spans}
    return all(span.parent in ids for span in spans if span.parent) and any(not span.parent for span in spans)


def _is_joined(spans: list[Seen]) -> None:
    """One span has no parent; every other one's is there."""
    ids = {span.id for span in spans}
    roots = [span for span in spans if not span.parent]
    assert len(roots) == 1, roots
    assert roots[0].service == "xin-gateway"
    assert {span.parent for span in spans if span.parent} <= ids


def test_the_trace_is_the_correlation_id() -> None:
    given = new_id()
    assert f"{trace_id_of(str(given)):032x}" == given.hex
    assert trace_id_of("order-4711") == trace_id_of("order-4711") != trace_id_of("order-4712")
    assert trace_of(f"00-{given.hex}-00f067aa0ba902b7-01") == str(given)
    for wrong in (None, "", "00-xyz-1-01", f"00-{'0' * 32}-{'0' * 16}-01", f"ff-{given.hex}-00f067aa0ba902b7-01"):
        assert trace_of(wrong) is None
    assert correlation.begin(trace_of(f"00-{given.hex}-00f067aa0ba902b7-01")) == str(given)


async def test_called_bare_it_goes_by_the_settings(tmp_path: Path) -> None:
    code = (
        "from chatbot.core.logging import configure_logging; from chatbot.core.telemetry import init_tracing\n"
        "configure_logging('INFO', process='t'); print(init_tracing())\n"
    )
    url = f"http://127.0.0.1:{free_port()}/v1/traces"
    for endpoint, active in ((url, "True"), ("", "False")):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "OTEL_EXPORTER_ENDPOINT": endpoint},
        )  # fmt: skip
        printed, log = await asyncio.wait_for(process.communicate(), 120)
        assert printed.decode().strip() == active, log.decode()
        assert ("tracing initialised" in log.decode()) == (active == "True")


@pytest.mark.parametrize("endpoint", [None, "dead"])
async def test_without_a_collector_the_platform_works_and_says_so(endpoint: str | None, tmp_path: Path) -> None:
    """`init_tracing` in a process of its own: the provider of a process is set once."""
    url = f"http://127.0.0.1:{free_port()}/v1/traces" if endpoint else ""
    code = (
        "from chatbot.core.logging import configure_logging; from chatbot.core import telemetry\n"
        f"configure_logging('INFO', process='t'); telemetry.init_tracing('xin-t', endpoint={url!r} or None)\n"
        "with telemetry.span('one') as step: step.set_attribute('xin.a', 1)\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "OTEL_EXPORTER_OTLP_TIMEOUT": "1"},
    )
    _, log = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0
    said = ("tracing initialised", "tracing active") if endpoint else (
        "distributed tracing disabled; no OTLP endpoint configured",
        "tracing disabled; operating without OTLP exporter",
    )  # fmt: skip
    assert all(words in log.decode() for words in said)
    assert "Traceback" not in log.decode()
