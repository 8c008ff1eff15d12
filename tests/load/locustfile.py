"""Two brands with 50 conversations each through the gateway, while their knowledge is read in again and again.

Run by `make load-test`, or `locust -f tests/load/locustfile.py --host https://gateway.example.com`; docs/LOAD_TEST.md
lists the variables. Fails (exit 1) when P95 or errors miss the objectives.
"""

import hashlib
import hmac
import json
import logging
import os
import time
import uuid
from itertools import count
from pathlib import Path
from typing import Any

import requests
from locust import HttpUser, constant, events, task
from locust.env import Environment

from tests.load.conversation import Conversation
from tests.load.tally import Tally

log = logging.getLogger(__name__)

_DEMO_TENANT = "00000000-0000-7000-8000-00000000d301"
BRANDS = [name.strip() for name in (os.environ.get("LOAD_BRANDS") or "alpha,beta").split(",") if name.strip()]
CONVERSATIONS = int(os.environ.get("LOAD_CONVERSATIONS") or 50)
_SECRET = os.environ.get("GATEWAY_WEBHOOK_SECRET") or "dev-web"
_TOKEN = os.environ.get("ADMIN_TOKEN") or ""
_ORCHESTRATOR = (os.environ.get("ORCHESTRATOR_HOST") or os.environ.get("LOCUST_HOST") or "").rstrip("/")
_FILE = os.environ.get("INGESTION_WARMUP_FILENAME") or "help.md"
_TYPE = os.environ.get("INGESTION_WARMUP_CONTENT_TYPE") or "text/markdown"
_CONTENT = os.environ.get("INGESTION_WARMUP_CONTENT") or (Path(__file__).parent / "help.md").read_text()
_WARM_UP_SECONDS = 60
_INGESTION_SECONDS = 15

_brand_ids: dict[str, str] = {}
_tallies: list[Tally] = []


@events.init.add_listener
def _judge(environment: Environment, **_: Any) -> None:
    _tallies.append(Tally(environment, "gateway:webhook:", gate=True))


@events.test_start.add_listener
def _prepare(environment: Environment, **_: Any) -> None:
    """Make the brands where they are missing, and teach them something; needs `ADMIN_TOKEN`."""
    if not _TOKEN:
        log.warning("ADMIN_TOKEN is not set: the brands %s must be there, and nothing is ingested", ", ".join(BRANDS))
        return
    listed = _call("GET", f"/admin/brands?tenant_id={_DEMO_TENANT}&limit=200")["items"]
    known = {one["name"].lower(): one["id"] for one in listed}
    for name in BRANDS:
        wanted = {"tenant_id": _DEMO_TENANT, "name": name}
        _brand_ids[name] = known.get(name.lower()) or _call("POST", "/admin/brands", wanted)["id"]
    _wait_until_read({name: _first_upload(brand_id) for name, brand_id in _brand_ids.items()})


def _wait_until_read(sources: dict[str, str]) -> None:
    until = time.monotonic() + _WARM_UP_SECONDS
    while time.monotonic() < until:
        found = [_call("GET", f"/v1/brands/{_brand_ids[name]}/knowledge/{source}") for name, source in sources.items()]
        if all(one["status"] == "ready" for one in found):
            return
        time.sleep(0.5)
    log.warning("the warm-up's knowledge was not read in within %s s", _WARM_UP_SECONDS)


def _call(method: str, path: str, body: Any = None) -> Any:
    answer = requests.request(method, _ORCHESTRATOR + path, json=body, headers=_admin(), timeout=30)
    answer.raise_for_status()
    return answer.json()


def _first_upload(brand_id: str) -> str:
    url = f"{_ORCHESTRATOR}/v1/brands/{brand_id}/knowledge"
    answer = requests.post(url, headers=_admin(), timeout=30, **_upload(0))
    answer.raise_for_status()
    return str(answer.json()["source_id"])


def _admin() -> dict[str, str]:
    return {"Authorization": f"Bearer {_TOKEN}", "X-Request-ID": str(uuid.uuid4())}


def _upload(edition: int) -> dict[str, Any]:
    """The same document under the same id, but never the same bytes: each edition is read in and replaces the last."""
    content = f"{_CONTENT}\n\nEdition {edition}.\n"
    return {"files": {"file": (_FILE, content.encode(), _TYPE)}, "data": {"external_id": f"load:{_FILE}"}}


class Visitor(Conversation):
    """One of the conversations of a brand."""

    fixed_count = CONVERSATIONS * len(BRANDS)
    _next = count()

    def on_start(self) -> None:
        """Belong to a brand for good: they are dealt in turn."""
        super().on_start()
        if not hasattr(self, "brand"):
            self.brand = BRANDS[next(self._next) % len(BRANDS)]

    def ask(self, question: str) -> None:
        """Send a signed message and take the reply out of the answer."""
        body = {"brand": self.brand, "session_id": self.session, "message_id": str(uuid.uuid4()), "text": question}
        raw, request_id = json.dumps(body).encode(), str(uuid.uuid4())
        headers = {**_signed(raw), "Content-Type": "application/json", "X-Request-ID": request_id}
        name = f"gateway:webhook:{self.brand}"
        with self.client.post("/webchat/webhook", data=raw, headers=headers, name=name, catch_response=True) as answer:
            if answer.status_code != 200 or not answer.json().get("reply"):
                log.warning("%s failed: %s, X-Request-ID %s", name, answer.status_code, request_id)
                answer.failure(f"HTTP {answer.status_code}")
            else:
                _tallies[-1].mode(answer.json()["mode"])


class Ingestion(HttpUser):
    """Stages the brands' knowledge again and again beside the conversations."""

    abstract = not _TOKEN
    fixed_count = 1
    wait_time = constant(_INGESTION_SECONDS)
    _editions = count(1)

    @task
    def stage(self) -> None:
        """Upload the next edition to every brand."""
        for name, brand_id in _brand_ids.items():
            self._stage(name, brand_id)

    def _stage(self, brand: str, brand_id: str) -> None:
        headers, name = _admin(), f"ingestion:knowledge:{brand}"
        url = f"{_ORCHESTRATOR}/v1/brands/{brand_id}/knowledge"
        with self.client.post(
            url, headers=headers, name=name, catch_response=True, **_upload(next(self._editions))
        ) as answer:
            if answer.status_code != 202:
                log.warning("%s failed: %s, X-Request-ID %s", name, answer.status_code, headers["X-Request-ID"])
                answer.failure(f"HTTP {answer.status_code}")


def _signed(raw: bytes) -> dict[str, str]:
    stamp = str(int(time.time()))
    proof = hmac.new(_SECRET.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
    return {"X-Timestamp": stamp, "X-Signature": f"sha256={proof}"}
