"""One body of JSON does not hold up everybody else: of many small values few are looked at, and not all are answered.

Counted is the processor's time of one request beside that of reading its bytes, which nobody can do without.
"""

import gc
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest

from chatbot.core import schemas
from chatbot.core.schemas import MAX_VALUES, RequestBody
from chatbot.knowledge.bodies import MAX_JSON_BYTES
from tests.conftest import TenantRows, bearer

JSON = {"Content-Type": "application/json"}
MANY = 480_000
HEAVY: dict[str, bytes] = {
    "a list of numbers": b'{"email":[' + b"0," * MANY + b"0]}",
    "a list of lists": b'{"email":[' + b"[]," * (MANY // 2) + b"0]}",
    "lists side by side": b'{"email":[' + b"[0,0,0,0,0,0,0,0]," * (MANY // 9) + b"0]}",
    "unknown fields": b"{" + b",".join(b'"%d":0' % number for number in range(90_000)) + b"}",
    "a list at the top": b"[" + b"0," * MANY + b"0]",
}
"""Each of nearly a megabyte, which is as much as every path takes."""


class Given(RequestBody):
    """A body that takes anything."""

    data: Any


def seconds(work: Callable[[], object]) -> float:
    """The processor's time of some work: the least of three, for whatever else runs takes caches away."""

    def once() -> float:
        begun = time.thread_time()
        work()
        return time.thread_time() - begun

    return min(once() for _ in range(3))


@pytest.mark.parametrize("path", ["/auth/login", "/api/chat", "/v1/widget/sessions"])
@pytest.mark.parametrize("body", HEAVY.values(), ids=HEAVY.keys())
async def test_a_heavy_body_is_refused_in_the_time_of_reading_it(
    client: httpx.AsyncClient, path: str, body: bytes
) -> None:
    assert len(body) < 1024 * 1024
    gc.collect()
    gc.disable()  # what other tests have left is not this request's to go through
    try:
        floor = seconds(lambda: json.loads(body))
        spent = []
        for _ in range(5):
            begun = time.thread_time()
            answer = await client.post(path, content=body, headers=JSON)
            spent.append(time.thread_time() - begun)
            assert answer.status_code == 422, answer.text[:200]
            assert len(answer.content) < 10_000
    finally:
        gc.enable()
    assert min(spent) < 5 * floor + 0.2, "half a million values took 30 times their reading before they were counted"


def test_the_limit_is_named_and_is_of_the_whole_body(monkeypatch: pytest.MonkeyPatch) -> None:
    def data(values: int) -> Any:
        return {"data": [[0] * 99 for _ in range((values - 1) // 100)] + [0] * ((values - 1) % 100)}

    assert Given.model_validate(data(MAX_VALUES))
    looked: list[object] = []
    seen = schemas._not_storable
    monkeypatch.setattr(schemas, "_not_storable", lambda value: looked.append(value) or seen(value))
    for body in (data(MAX_VALUES + 1), {"data": [0] * 5_000_000}, {"data": [{str(n): [n]} for n in range(15_000)]}):
        with pytest.raises(ValueError, match=r"body: must hold at most 20,000 values"):
            Given.model_validate(body)
    assert len(looked) <= 3 * 2 * MAX_VALUES, "what is beyond the limit is not looked at"


async def test_the_limit_is_a_problem_of_the_body(client: httpx.AsyncClient) -> None:
    answer = await client.post("/auth/login", content=HEAVY["unknown fields"], headers=JSON)
    assert answer.json()["errors"] == [{"field": "body", "message": "must hold at most 20,000 values"}]


async def test_who_errs_a_thousand_times_is_told_a_hundred(client: httpx.AsyncClient) -> None:
    body = {f"unknown{number}": 0 for number in range(MAX_VALUES - 100)}
    floor = seconds(lambda: json.loads(orjson.dumps(body)))
    begun = time.thread_time()
    answer = await client.post("/auth/login", json=body)
    spent = time.thread_time() - begun
    assert (answer.status_code, len(answer.json()["errors"])) == (422, 100)
    assert len(answer.content) < 20_000
    assert spent < 10 * floor + 0.5


async def test_a_text_of_megabytes_is_knowledge(client: httpx.AsyncClient, tenant: TenantRows) -> None:
    headers = bearer(tenant_id=tenant.id) | {"X-Tenant-Id": str(tenant.id)}
    path = f"/v1/brands/{tenant.brand_id}/knowledge"
    content = "A line, with commas: and [brackets] {and braces}.\n" * 100_000
    taken = await client.post(path, json={"title": "Long", "content": content}, headers=headers)
    assert taken.status_code == 202, taken.text
    pairs = [{"question": f"Question {n}?", "answer": f"Answer {n}."} for n in range(1_000)]
    taken = await client.post(path, json={"kind": "qa", "title": "Pairs", "pairs": pairs}, headers=headers)
    assert taken.status_code == 202, taken.text


async def test_larger_knowledge_comes_as_a_file(client: httpx.AsyncClient, tenant: TenantRows) -> None:
    headers = bearer(tenant_id=tenant.id) | {"X-Tenant-Id": str(tenant.id)}
    path = f"/v1/brands/{tenant.brand_id}/knowledge"
    large = "A line.\n" * (MAX_JSON_BYTES // 8)

    async def in_parts() -> Any:
        yield orjson.dumps({"title": "Long", "content": large})

    for sent in ({"json": {"title": "Long", "content": large}}, {"content": in_parts(), "headers": JSON}):
        refused = await client.post(path, **{**sent, "headers": {**headers, **sent.get("headers", {})}})
        assert refused.status_code == 413
        assert "10 MB" in refused.json()["detail"]
    many = await client.post(path, json={"title": "Long", "content": [0] * 1_000_000}, headers=headers)
    assert many.json()["errors"] == [{"field": "body", "message": "must hold at most 20,000 values"}]
    taken = await client.post(path, files={"file": ("long.txt", large.encode())}, headers=headers)
    assert taken.status_code == 202, taken.text
