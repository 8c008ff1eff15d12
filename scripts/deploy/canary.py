#!/usr/bin/env python3
"""A new image on 1, 5, 25, then 100 % of the requests, with Prometheus looked at in between; taken back by itself.

    scripts/deploy/canary.py --namespace xin-prod --release xin --tag 0.2.0 --prometheus http://prometheus.monitoring:9090

Each step lasts `--watch` (30 minutes). A broken criterion ends the canary: weight 0, no replica, exit 1, and what was
broken in words. Failing calls of the model turn the model off in the canary first (SMART_MODE_ENABLED=false); if they
go on, the canary ends. A canary that nobody asked anything, and a Prometheus that does not answer, end it too: no
evidence is no pass. After the last step every deployment gets the image, and a rollout that fails or is interrupted is
undone, with those before it.

Needs the chart with `canary.enabled: true`, `kubectl`, and metrics of pods with the label `xin_track` (the chart's
PodMonitor gives them). Standard library only: it runs wherever kubectl does.
"""

import argparse
import json
import math
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from types import FrameType
from typing import Literal, NoReturn
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

TRIED = ("orchestrator", "channel-gateway")
CONTAINERS = {
    "orchestrator": "orchestrator",
    "channel-gateway": "channel-gateway",
    "ingestion-worker": "ingestion-worker",
    "automation-worker": "automation",
    "bot-manager": "bot-manager",
    "frontend": "frontend",
}
STEPS = (1, 5, 25, 100)
STOPPING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""A pipeline that is cancelled, a terminal that is closed, Ctrl+C."""

NOT_ASKED_FOR = "/health.*|/api/health|/webhooks/health|(/api)?/metrics"
"""Routes of probes and scrapes, as the platform's chatbot/core/metrics.py has them: nobody asks for an answer there."""

_BLIND_AFTER = 3
"""Times that Prometheus may fail to answer, one after the other."""

_LEAST_BASELINE_SECONDS = 0.05
"""Twice a few milliseconds is nothing to go back for."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What ends a canary: a query whose result is empty while all is well."""

    name: str
    query: str
    action: Literal["roll back", "model off"] = "roll back"


class Ended(Exception):
    """The canary is over; the message says what was wrong."""


def criteria(namespace: str, release: str, baseline_seconds: float) -> list[Criterion]:
    """Return what must not be.

    "Sustained" is ten looks, 30 s apart, that all say so: one error among the first three requests is no reason.
    """
    here = f'namespace="{namespace}",xin_track="canary"'
    asked = f'{here},route!~"{NOT_ASKED_FOR}"'
    pods = f'namespace="{namespace}",pod=~"{release}-xin-platform-.+-canary-.+",container!=""'
    real = 'fstype!~"tmpfs|overlay|squashfs|ramfs"'
    all_requests = f"sum(rate(http_requests_total{{{asked}}}[1m]))"
    errors = f'sum(rate(http_requests_total{{{asked},status_code="5xx"}}[1m])) / {all_requests}'
    p95 = f"histogram_quantile(0.95, sum by (le) (rate(http_request_latency_seconds_bucket{{{asked}}}[1m])))"
    calls = f"llm_requests_total{{{here}}}"
    bad_calls = f'llm_requests_total{{{here},outcome!~"completed|cancelled"}}'
    memory = f"container_memory_working_set_bytes{{{pods}}}"
    limits = f'kube_pod_container_resource_limits{{{pods},resource="memory"}}'
    same = "on (namespace, pod, container)"
    slow = 2 * max(baseline_seconds, _LEAST_BASELINE_SECONDS)
    return [
        Criterion("errors above 0.5 % for 5 minutes", _sustained(errors, "> 0.005")),
        Criterion(f"P95 above {slow:.3g} s, twice the baseline, for 5 minutes", _sustained(p95, f"> {slow:.6g}")),
        Criterion("P95 above 2 s for 5 minutes", _sustained(p95, "> 2")),
        Criterion("the model's circuit is open", f"max(llm_circuit_state{{{here}}}) == 2", "model off"),
        Criterion(
            "above 5 % of the model's calls fail in 5 minutes",
            f"sum(increase({bad_calls}[5m])) / sum(increase({calls}[5m])) > 0.05",
            "model off",
        ),
        Criterion(
            "a disk has less than 10 % free",
            f"min(node_filesystem_avail_bytes{{{real}}} / node_filesystem_size_bytes{{{real}}}) < 0.10",
        ),
        Criterion(
            "a disk has used more than 90 % of its inodes",
            f"max(1 - node_filesystem_files_free{{{real}}} / (node_filesystem_files{{{real}}} > 0)) > 0.90",
        ),
        Criterion(
            "memory above 80 % of its limit and growing",
            f"max(({memory} / {same} {limits} > 0.80) and {same} (deriv({memory}[15m]) > 0))",
        ),
        Criterion("a pod of the canary is down", f"max_over_time(up{{{here}}}[2m]) == 0"),
    ]


def _sustained(expression: str, broken: str) -> str:
    window = f"({expression})[5m:30s]"
    return f"min_over_time({window}) {broken} and count_over_time({window}) >= 10"


def baseline_query(namespace: str) -> str:
    """Return the query of the stable processes' P95 over the last hour."""
    here = f'namespace="{namespace}",xin_track="stable",route!~"{NOT_ASKED_FOR}"'
    return f"histogram_quantile(0.95, sum by (le) (rate(http_request_latency_seconds_bucket{{{here}}}[1h])))"


def asked_query(namespace: str, window: str) -> str:
    """Return the query of how many requests the canary was asked: those of probes and scrapes are none."""
    asked = f'namespace="{namespace}",xin_track="canary",route!~"{NOT_ASKED_FOR}"'
    return f"sum(increase(http_requests_total{{{asked}}}[{window}]))"


class Prometheus:
    """Asks a Prometheus."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def values(self, query: str) -> list[float]:
        """Return the numbers that a query gives now.

        Raises:
            URLError: no answer, or one that says no.
        """
        asked = f"{self._url}/api/v1/query?{urlencode({'query': query})}"
        try:
            with urlopen(asked, timeout=20) as answer:  # noqa: S310 - the operator's own address
                body = json.load(answer)
        except HTTPException as error:
            raise URLError(f"its answer broke off ({type(error).__name__})") from error
        if body["status"] != "success":
            raise URLError(body.get("error", "the query failed"))
        return [value for each in body["data"]["result"] if not math.isnan(value := float(each["value"][1]))]


class Cluster:
    """Does what the canary needs, by kubectl."""

    def __init__(self, namespace: str, release: str, registry: str, weight_command: str | None) -> None:
        self._namespace = namespace
        self._name = f"{release}-xin-platform"
        self._registry = registry.rstrip("/")
        self._weight_command = weight_command

    def start(self, tag: str) -> None:
        """Give the canary its image, the model that an earlier one may have lost, and one pod of each kind."""
        for component in TRIED:
            self._image(component, tag, canary=True)
            self._kubectl("set", "env", f"deployment/{self._name}-{component}-canary", "SMART_MODE_ENABLED-")
        self.replicas(1)

    def replicas(self, percent: int) -> None:
        """Have as many canary pods as a share of the requests needs, and wait until they are ready."""
        for component in TRIED:
            stable = self._kubectl(
                "get", f"deployment/{self._name}-{component}", "-o", "jsonpath={.spec.replicas}"
            ).strip()
            wanted = max(1, math.ceil(int(stable or 1) * percent / 100)) if percent else 0
            self._kubectl("scale", f"deployment/{self._name}-{component}-canary", f"--replicas={wanted}")
        for component in TRIED if percent else ():
            self._wait(f"{component}-canary")

    def weight(self, percent: int) -> None:
        """Lead a share of the requests to the canary."""
        if self._weight_command:
            _run(shlex.split(self._weight_command.replace("{weight}", str(percent))))
            return
        weight = f"nginx.ingress.kubernetes.io/canary-weight={percent}"
        self._kubectl("annotate", f"ingress/{self._name}-canary", weight, "--overwrite")

    def model_off(self) -> None:
        """Turn the language model off in the canary."""
        for component in TRIED:
            self._kubectl("set", "env", f"deployment/{self._name}-{component}-canary", "SMART_MODE_ENABLED=false")

    def end(self) -> None:
        """Lead nobody to the canary any more, then end its pods."""
        self.weight(0)
        self.replicas(0)

    def promote(self, tag: str) -> None:
        """Give every deployment the image; a rollout that fails or is interrupted is undone, with those before it."""
        changed: list[str] = []
        try:
            for component in CONTAINERS:
                with _held_back():  # what was cut off in between is nobody's to undo: it may have the image or not
                    self._image(component, tag, canary=False)
                    changed.append(component)
                self._wait(component)
        except (Ended, KeyboardInterrupt):
            for component in reversed(changed):
                try:
                    self._kubectl("rollout", "undo", f"deployment/{self._name}-{component}")
                except Ended as error:  # the others are taken back all the same
                    say(f"{component} was not taken back: {error}")
            raise

    def _image(self, component: str, tag: str, *, canary: bool) -> None:
        name = f"{self._name}-{component}{'-canary' if canary else ''}"
        image = f"{CONTAINERS[component]}={self._registry}/{component}:{tag}"
        self._kubectl("set", "image", f"deployment/{name}", image)

    def _wait(self, name: str) -> None:
        self._kubectl("rollout", "status", f"deployment/{self._name}-{name}", "--timeout=600s")

    def _kubectl(self, *arguments: str) -> str:
        return _run(["kubectl", "-n", self._namespace, *arguments])


@contextmanager
def _held_back() -> Iterator[None]:
    """Let a wish to stop wait until the block is over; a program that runs in it does not hear of it either."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _run(command: Sequence[str]) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise Ended(f"{command[0]} is not installed") from None
    except subprocess.CalledProcessError as error:
        raise Ended(f"{shlex.join(command)}: {(error.stderr or error.stdout).strip()[-500:]}") from None


class Canary:
    """One try of an image.

    Args:
        watch: seconds that a step lasts.
        interval: seconds between two looks.
    """

    def __init__(
        self, cluster: Cluster, prometheus: Prometheus, where: tuple[str, str], *, watch: float, interval: float
    ) -> None:
        self._cluster = cluster
        self._prometheus = prometheus
        self._namespace, self._release = where
        self._watch = watch
        self._interval = interval
        self._model_off_until: float | None = None

    def run(self, tag: str, steps: Sequence[int]) -> None:
        """Go through the steps and promote the image.

        Raises:
            Ended: a criterion was broken; the canary gets no request any more.
        """
        rules = criteria(self._namespace, self._release, self._baseline())
        try:
            self._cluster.start(tag)
            for percent in steps:
                self._cluster.replicas(percent)
                self._cluster.weight(percent)
                say(f"{percent} % of the requests for {self._watch:g} s")
                self._look_on(rules)
            self._cluster.promote(tag)
        except BaseException:  # whatever it was: a canary that nobody watches gets no request
            self._cluster.end()
            raise
        try:
            self._cluster.end()
        except (Ended, KeyboardInterrupt) as error:  # the image is everywhere, whatever becomes of the canary's pods
            say(f"the canary was not ended, set its weight and its replicas to 0: {str(error) or 'interrupted'}")

    def _baseline(self) -> float:
        try:
            found = self._prometheus.values(baseline_query(self._namespace))
        except (OSError, ValueError) as error:
            raise Ended(f"Prometheus does not answer, so nothing was begun: {error}") from None
        baseline = max(found, default=0.0)
        say(f"baseline: P95 {baseline:.3f} s")
        return baseline

    def _look_on(self, rules: Sequence[Criterion]) -> None:
        until = time.monotonic() + self._watch
        blind = 0
        while time.monotonic() < until:
            time.sleep(self._interval)
            try:
                self._judge(rules)
                blind = 0
            except (OSError, ValueError) as error:
                blind += 1
                say(f"Prometheus does not answer ({blind} of {_BLIND_AFTER}): {error}")
                if blind >= _BLIND_AFTER:
                    raise Ended("Prometheus does not answer; a canary that nobody sees is ended") from None
        self._was_asked()

    def _judge(self, rules: Sequence[Criterion]) -> None:
        for rule in rules:
            found = self._prometheus.values(rule.query)
            if not found:
                continue
            if rule.action == "roll back":
                raise Ended(f"{rule.name} (it is {found[0]:.4g})")
            self._without_the_model(rule)

    def _without_the_model(self, rule: Criterion) -> None:
        """Turn the model off, and give the figures ten minutes to say that this was enough."""
        if self._model_off_until is None:
            say(f"{rule.name}: the model is turned off in the canary")
            self._cluster.model_off()
            self._model_off_until = time.monotonic() + 20 * self._interval
        elif time.monotonic() > self._model_off_until:
            raise Ended(f"{rule.name}, and it goes on without the model")

    def _was_asked(self) -> None:
        window = f"{max(60, math.ceil(self._watch))}s"
        try:
            requests = sum(self._prometheus.values(asked_query(self._namespace, window)))
        except (OSError, ValueError) as error:
            raise Ended(f"Prometheus does not answer at the end of the step: {error}") from None
        if requests <= 0:
            raise Ended("no request reached the canary, or its figures do not reach Prometheus")
        say(f"nothing wrong in {requests:.0f} requests")


def say(words: str) -> None:
    """Print a line with its time."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {words}\n")
    sys.stdout.flush()


def seconds(words: str) -> float:
    """Read `90`, `90s`, `30m` or `1h`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", words)
    if not found:
        raise argparse.ArgumentTypeError(f"{words!r} is no duration such as 30m")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


def steps(words: str) -> tuple[int, ...]:
    """Read `1,5,25,100`: rising, up to 100."""
    try:
        found = tuple(int(part) for part in words.split(","))
    except ValueError:
        found = ()
    if not found or list(found) != sorted(set(found)) or found[0] < 1 or found[-1] != 100:
        raise argparse.ArgumentTypeError(f"{words!r} are no rising shares up to 100")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a canary; return 0 when the image is everywhere, 1 when it was taken back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--namespace", default="xin-prod")
    parser.add_argument("--release", default="xin")
    parser.add_argument("--tag", required=True, help="the tag of the images to try")
    parser.add_argument("--registry", default="registry.example.com/xin")
    parser.add_argument("--prometheus", required=True, help="its address")
    parser.add_argument("--steps", type=steps, default=STEPS, help="percent of the requests (1,5,25,100)")
    parser.add_argument("--watch", type=seconds, default=1800.0, help="how long each step lasts (30m)")
    parser.add_argument("--interval", type=seconds, default=30.0, help="time between two looks (30s)")
    parser.add_argument("--weight-command", help="sets the weight instead of ingress-nginx; {weight} is put in")
    asked = parser.parse_args(arguments)
    cluster = Cluster(asked.namespace, asked.release, asked.registry, asked.weight_command)
    where = (asked.namespace, asked.release)
    canary = Canary(cluster, Prometheus(asked.prometheus), where, watch=asked.watch, interval=asked.interval)
    for number in STOPPING:  # SIGINT too: a shell in the background has it ignored
        signal.signal(number, _stop)
    try:
        canary.run(asked.tag, asked.steps)
    except (Ended, KeyboardInterrupt) as error:
        say(f"ROLLED BACK: {str(error) or 'interrupted'}")
        return 1
    say(f"PROMOTED: {asked.tag} runs everywhere")
    say("Write it into the values (image.tag), or the next upgrade takes it back.")
    return 0


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    """Begin to take everything back; whoever asks a second time (a pipeline does) does not interrupt that."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
