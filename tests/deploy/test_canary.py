"""A canary: its criteria on Prometheus' own engine; its steps with a fake of Prometheus' API and recorded kubectl."""

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from chatbot.core import metrics
from chatbot.llm.schemas import Outcome
from scripts.deploy import canary
from tests.deploy.rendered import COMPONENTS, container, of_kind
from tests.deploy.stand_ins import StandIn, path_with

_HERE = 'namespace="xin-prod",xin_track="canary"'
_POD = 'namespace="xin-prod",pod="xin-xin-platform-orchestrator-canary-7d-x",container="orchestrator"'


class FakePrometheus:
    """Answers `/api/v1/query` as Prometheus does; `broken` holds what is to be found, by a part of the query."""

    def __init__(self) -> None:
        self.broken: dict[str, float] = {}
        self.asked: list[str] = []
        self.fails = False
        self.breaks_off = False
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)["query"][0]
                fake.asked.append(query)
                self.send_response(503 if fake.fails else 200)
                if fake.breaks_off:
                    self.send_header("Content-Length", "100000")
                self.end_headers()
                self.wfile.write(json.dumps(fake.answer(query)).encode())

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def answer(self, query: str) -> dict[str, Any]:
        found = [value for part, value in self.broken.items() if part in query]
        result = [{"metric": {}, "value": [1795650000.0, str(value)]} for value in found]
        return {"status": "success", "data": {"resultType": "vector", "result": result}}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def prometheus() -> Iterator[FakePrometheus]:
    fake = FakePrometheus()
    fake.broken = {'xin_track="stable"': 0.2, "increase(http_requests_total": 120.0}
    yield fake
    fake.close()


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    monkeypatch.setenv("PATH", path_with(tmp_path))
    return StandIn(tmp_path, "kubectl", {"jsonpath=.*replicas": ("4", 0)})


@pytest.fixture
def run(prometheus: FakePrometheus, kubectl: StandIn) -> Callable[..., int]:
    def call(*more: str) -> int:
        given = ("--tag", "0.2.0", "--prometheus", prometheus.url, "--watch", "0.05", "--interval", "0.01")
        return canary.main([*given, *more])

    return call


def _weights(kubectl: StandIn) -> list[str]:
    return [found[1] for call in kubectl.calls if (found := re.search(r"canary-weight=(\d+)", call))]


def test_an_image_goes_through_the_steps_and_everywhere(run: Callable[..., int], kubectl: StandIn) -> None:
    assert run() == 0
    assert _weights(kubectl) == ["1", "5", "25", "100", "0"]
    scaled = [call.rpartition("=")[2] for call in kubectl.calls if "scale deployment/xin-xin-platform-orch" in call]
    assert scaled == ["1", "1", "1", "1", "4", "0"], "as many pods as the share needs"
    promoted = {
        found[1]: found[2]
        for call in kubectl.calls
        if (found := re.search(r"set image deployment/xin-xin-platform-([a-z-]+?) (\S+)", call))
        and not found[1].endswith("-canary")
    }
    deployments = of_kind("Deployment")
    assert set(promoted) == set(COMPONENTS)
    for name, image in promoted.items():
        held = container(deployments[name]["spec"]["template"])["name"]
        assert image == f"{held}=registry.example.com/xin/{name}:0.2.0"
    assert all(call.startswith("-n xin-prod ") for call in kubectl.calls)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ('status_code="5xx"', "errors above 0.5 %"),
        ("> 0.4 and", "twice the baseline"),
        ("> 2 and", "P95 above 2 s"),
        ("node_filesystem_avail_bytes", "less than 10 % free"),
        ("node_filesystem_files_free", "90 % of its inodes"),
        ("container_memory_working_set_bytes", "memory above 80 %"),
        ("max_over_time(up", "pod of the canary is down"),
    ],
)
def test_a_broken_criterion_takes_it_back(
    part: str, words: str, run: Callable[..., int], prometheus: FakePrometheus, kubectl: StandIn,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    prometheus.broken[part] = 0.7
    assert run() == 1
    assert re.search(rf"ROLLED BACK: .*{re.escape(words)}", capsys.readouterr().out)
    assert _weights(kubectl) == ["1", "0"]
    assert kubectl.calls[-1].endswith("--replicas=0")
    assert not [call for call in kubectl.calls if re.search(r"set image deployment/\S+(?<!-canary) ", call)]


def test_an_open_circuit_turns_the_model_off_first(
    run: Callable[..., int], prometheus: FakePrometheus, kubectl: StandIn
) -> None:
    prometheus.broken["llm_circuit_state"] = 2
    assert run("--watch", "60", "--interval", "0.02", "--steps", "100") == 1
    off = [call for call in kubectl.calls if "SMART_MODE_ENABLED=false" in call]
    assert len(off) == 2, "once for each kind of pod"
    assert all("-canary" in call for call in off)
    assert _weights(kubectl) == ["100", "0"]


def test_without_evidence_nothing_goes_on(
    run: Callable[..., int], prometheus: FakePrometheus, kubectl: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    prometheus.broken = {'xin_track="stable"': 0.2}
    assert run() == 1
    assert "no request reached the canary" in capsys.readouterr().out
    assert _weights(kubectl) == ["1", "0"]
    prometheus.fails = True
    before = len(kubectl.calls)
    assert run() == 1
    assert "nothing was begun" in capsys.readouterr().out
    assert [call for call in kubectl.calls[before:] if "set image" in call] == []


def test_a_prometheus_that_goes_away_ends_it(
    run: Callable[..., int], prometheus: FakePrometheus, kubectl: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = canary.Cluster.start

    def then_fail(self: canary.Cluster, tag: str) -> None:
        start(self, tag)
        prometheus.fails = True

    monkeypatch.setattr(canary.Cluster, "start", then_fail)
    assert run("--watch", "5") == 1
    assert _weights(kubectl) == ["1", "0"]


def test_one_that_breaks_off_in_the_middle_of_its_answers_ends_it_too(
    run: Callable[..., int], prometheus: FakePrometheus, kubectl: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = canary.Cluster.start

    def then_break(self: canary.Cluster, tag: str) -> None:
        start(self, tag)
        prometheus.breaks_off = True

    monkeypatch.setattr(canary.Cluster, "start", then_break)
    assert run("--watch", "5") == 1
    assert _weights(kubectl) == ["1", "0"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_who_stops_it_leaves_no_request_with_it(
    number: signal.Signals, prometheus: FakePrometheus, kubectl: StandIn
) -> None:
    command = [sys.executable, canary.__file__, "--tag", "0.2.0", "--prometheus", prometheus.url, "--interval", "0.1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    while "of the requests" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(number)
    said, _ = process.communicate(timeout=240)
    assert process.returncode == 1
    assert "ROLLED BACK: interrupted" in said
    assert _weights(kubectl) == ["1", "0"]
    assert kubectl.calls[-1].endswith("--replicas=0")


def test_a_new_canary_begins_with_its_model(run: Callable[..., int], kubectl: StandIn) -> None:
    assert run("--steps", "100") == 0
    given = [call for call in kubectl.calls if call.endswith("-canary SMART_MODE_ENABLED-")]
    assert len(given) == 2, "once for each kind of pod"


def test_a_rollout_that_fails_is_undone(run: Callable[..., int], kubectl: StandIn) -> None:
    kubectl.answer(
        {"jsonpath=.*replicas": ("4", 0), "status deployment/xin-xin-platform-ingestion-worker": ("timed out", 1)}
    )
    assert run("--steps", "100") == 1
    undone = [call.rpartition("/")[2] for call in kubectl.calls if "rollout undo" in call]
    assert undone == [f"xin-xin-platform-{name}" for name in ("ingestion-worker", "channel-gateway", "orchestrator")]
    assert kubectl.calls[-1].endswith("--replicas=0")


def test_of_a_rollout_that_cannot_begin_the_rest_is_taken_back(run: Callable[..., int], kubectl: StandIn) -> None:
    refused = {
        "set image deployment/xin-xin-platform-ingestion-worker ": ("not found", 1),
        "undo deployment/xin-xin-platform-channel-gateway": ("no such revision", 1),
    }
    kubectl.answer({"jsonpath=.*replicas": ("4", 0), **refused})
    assert run("--steps", "100") == 1
    undone = [call.rpartition("/")[2] for call in kubectl.calls if "rollout undo" in call]
    assert undone == [f"xin-xin-platform-{name}" for name in ("channel-gateway", "orchestrator")]


@pytest.mark.parametrize("at", ["set image", "rollout status"])
def test_a_promotion_that_is_interrupted_is_undone(at: str, tmp_path: Path, prometheus: FakePrometheus) -> None:
    """The third deployment is being changed when it is told to stop, and again while it takes things back."""
    calls = tmp_path / "calls"
    (tmp_path / "kubectl").write_text(f"""#!/bin/sh
case "$*" in
  *jsonpath=*replicas*) echo 4 ;;
  *"{at} deployment/xin-xin-platform-ingestion-worker "*) kill -TERM $PPID; sleep 0.5 ;;
  *"rollout undo"*) kill -INT $PPID; sleep 0.2 ;;
esac
echo "$*" >>{calls}
""")
    (tmp_path / "kubectl").chmod(0o755)
    command = [
        sys.executable, canary.__file__, "--tag", "0.2.0", "--prometheus", prometheus.url, "--steps", "100",
        "--watch", "0.05", "--interval", "0.01",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env={"PATH": path_with(tmp_path)}
    )
    assert done.returncode == 1, done.stderr
    assert "ROLLED BACK: interrupted" in done.stdout
    said = calls.read_text().splitlines()
    changed = [found[1] for call in said if (found := re.search(r"set image deployment/(\S+)(?<!-canary) ", call))]
    undone = [call.rpartition("/")[2] for call in said if "rollout undo" in call]
    names = ("orchestrator", "channel-gateway", "ingestion-worker")
    assert changed == [f"xin-xin-platform-{name}" for name in names], "what was begun was done whole"
    assert undone == changed[::-1]
    assert said[-1].endswith("--replicas=0")


def test_an_image_that_is_everywhere_is_promoted_though_its_canary_was_not_ended(
    run: Callable[..., int], kubectl: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl.answer({"jsonpath=.*replicas": ("4", 0), "canary-weight=0": ("no such ingress", 1)})
    assert run("--steps", "100") == 0
    said = capsys.readouterr().out
    assert "the canary was not ended" in said
    assert "PROMOTED: 0.2.0" in said
    assert not [call for call in kubectl.calls if "rollout undo" in call]


def test_another_controllers_weight_is_set_by_a_command(run: Callable[..., int], tmp_path: Path) -> None:
    traffic = StandIn(tmp_path, "traffic")
    assert run("--steps", "25,100", "--weight-command", "traffic to canary {weight}") == 0
    assert traffic.calls == ["to canary 25", "to canary 100", "to canary 0"]


@pytest.mark.parametrize("wrong", ["5,1,100", "1,5", "0,100", "many"])
def test_steps_rise_to_the_whole(wrong: str) -> None:
    with pytest.raises(SystemExit):
        canary.main(["--tag", "x", "--prometheus", "http://127.0.0.1:1", "--steps", wrong])


def test_the_metrics_asked_for_exist() -> None:
    ours = {name for each in vars(metrics).values() if (name := getattr(each, "_name", None))}
    queries = " ".join(rule.query for rule in canary.criteria("xin-prod", "xin", 0.2))
    asked = set(re.findall(r"\b((?:http|llm)_[a-z_0-9]+)\{", queries))
    assert {re.sub(r"_(total|bucket)$", "", name) for name in asked} <= ours
    assert set(re.findall(r'outcome!~"([a-z|]+)"', queries)[0].split("|")) <= {each.value for each in Outcome}


_ASKED = f'{_HERE},route="/v1/chat"'
_PROBED = [f'{_HERE},route="{route}"' for route in ("/health/live", "/health/ready", "/metrics")]
_PROBES = {
    series.format(probed): values
    for probed in _PROBED
    for series, values in (
        ('http_requests_total{{{},status_code="2xx"}}', "0+60000x40"),
        ('http_requests_total{{{},status_code="5xx"}}', "0+60000x40"),
        ('http_request_latency_seconds_bucket{{{},le="0.25"}}', "0+120000x40"),
        ('http_request_latency_seconds_bucket{{{},le="+Inf"}}', "0+120000x40"),
    )
}
"""What kubelets and Prometheus ask: it neither hides what people are answered nor counts as answered."""

_WELL = {
    **_PROBES,
    f'http_requests_total{{{_ASKED},status_code="2xx"}}': "0+600x40",
    f'http_requests_total{{{_ASKED},status_code="5xx"}}': "0+1x40",
    f'http_request_latency_seconds_bucket{{{_ASKED},le="0.25"}}': "0+590x40",
    f'http_request_latency_seconds_bucket{{{_ASKED},le="5.0"}}': "0+600x40",
    f'http_request_latency_seconds_bucket{{{_ASKED},le="+Inf"}}': "0+600x40",
    f'llm_circuit_state{{{_HERE},model="m"}}': "0x40",
    f'llm_requests_total{{{_HERE},outcome="completed"}}': "0+100x40",
    f'llm_requests_total{{{_HERE},outcome="silent"}}': "0+2x40",
    'node_filesystem_avail_bytes{instance="n",fstype="ext4",mountpoint="/"}': "50x40",
    'node_filesystem_size_bytes{instance="n",fstype="ext4",mountpoint="/"}': "100x40",
    'node_filesystem_files_free{instance="n",fstype="ext4",mountpoint="/"}': "50x40",
    'node_filesystem_files{instance="n",fstype="ext4",mountpoint="/"}': "100x40",
    f"container_memory_working_set_bytes{{{_POD}}}": "85x40",
    f'kube_pod_container_resource_limits{{{_POD},resource="memory"}}': "100x40",
    f"up{{{_HERE}}}": "1x40",
}
_ILL: dict[str, Mapping[str, str]] = {
    "errors above 0.5 %": {f'http_requests_total{{{_ASKED},status_code="5xx"}}': "0+10x40"},
    "P95 above 0.4 s": {f'http_request_latency_seconds_bucket{{{_ASKED},le="0.25"}}': "0+300x40"},
    "P95 above 2 s": {f'http_request_latency_seconds_bucket{{{_ASKED},le="0.25"}}': "0+300x40"},
    "the model's circuit": {f'llm_circuit_state{{{_HERE},model="m"}}': "2x40"},
    "above 5 % of the model's": {f'llm_requests_total{{{_HERE},outcome="silent"}}': "0+20x40"},
    "less than 10 % free": {'node_filesystem_avail_bytes{instance="n",fstype="ext4",mountpoint="/"}': "9x40"},
    "90 % of its inodes": {'node_filesystem_files_free{instance="n",fstype="ext4",mountpoint="/"}': "5x40"},
    "memory above 80 %": {f"container_memory_working_set_bytes{{{_POD}}}": "81+0.2x40"},
    "pod of the canary is down": {f"up{{{_HERE}}}": "0x40"},
}
"""Series that break a criterion; memory that is high and does not grow, and one error in a thousand, do not."""


def test_criteria_on_prometheus_own_engine(tmp_path: Path) -> None:
    if not shutil.which("promtool"):
        pytest.skip("needs promtool (on Debian: apt-get install prometheus)")
    rules = canary.criteria("xin-prod", "xin", 0.2)
    tests = [_engine_test(_WELL, {rule.query: False for rule in rules})]
    for rule in rules:
        (changed,) = [series for words, series in _ILL.items() if words in rule.name] or [{}]
        tests.append(_engine_test({**_WELL, **changed}, {rule.query: True}))
    file = tmp_path / "criteria.yml"
    file.write_text(yaml.safe_dump({"evaluation_interval": "30s", "tests": tests}))
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(rules) == len(_ILL)


def _engine_test(series: Mapping[str, str], expected: Mapping[str, bool]) -> dict[str, Any]:
    return {
        "interval": "30s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f"count({query})",
                "eval_time": "18m",
                "exp_samples": [{"labels": "{}", "value": 1}] if found else [],
            }
            for query, found in expected.items()
        ],
    }


def test_one_error_at_the_beginning_is_no_reason(tmp_path: Path) -> None:
    if not shutil.which("promtool"):
        pytest.skip("needs promtool (on Debian: apt-get install prometheus)")
    errors = canary.criteria("xin-prod", "xin", 0.2)[0]
    series = {
        f'http_requests_total{{{_ASKED},status_code="2xx"}}': "0 3 6 9 12",
        f'http_requests_total{{{_ASKED},status_code="5xx"}}': "0 1 1 1 1",
    }
    test = _engine_test(series, {errors.query: False})
    test["promql_expr_test"][0]["eval_time"] = "90s"
    file = tmp_path / "criteria.yml"
    file.write_text(yaml.safe_dump({"evaluation_interval": "30s", "tests": [test]}))
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_probes_alone_have_not_asked_a_canary_anything(tmp_path: Path) -> None:
    if not shutil.which("promtool"):
        pytest.skip("needs promtool (on Debian: apt-get install prometheus)")
    query = canary.asked_query("xin-prod", "300s")
    tests = [_engine_test(_PROBES, {query: False}), _engine_test(_WELL, {query: True})]
    file = tmp_path / "asked.yml"
    file.write_text(yaml.safe_dump({"evaluation_interval": "30s", "tests": tests}))
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
