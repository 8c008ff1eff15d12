"""Small parts of core: ids, limits, logs, secrets, correlation."""

import asyncio

import pytest
from prometheus_client import REGISTRY

from chatbot.core import correlation
from chatbot.core.background import end, forever
from chatbot.core.crypto import hash_secret, same
from chatbot.core.errors import InvalidInput
from chatbot.core.ids import new_id
from chatbot.core.logging import hide_secrets
from chatbot.core.metrics import deliveries_counter, requests_counter, tenant_label
from chatbot.core.paging import before_id, cut_page
from chatbot.llm import budgets  # noqa: F401 - it begins its counters
from chatbot.llm.schemas import Outcome


def test_ids_are_uuid7_and_sort_by_time() -> None:
    ids = [new_id() for _ in range(50)]
    assert all(item.version == 7 for item in ids)
    assert [item.int >> 80 for item in ids] == sorted(item.int >> 80 for item in ids)


@pytest.mark.parametrize(
    ("event", "hidden"),
    [
        ({"password": "hunter2"}, "hunter2"),
        ({"event": "got Bearer abc.def-ghi"}, "abc.def"),
        ({"event": "key xin_sk_0123456789abcdefghij given"}, "0123456789abcdef"),
        ({"detail": "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl"}, "c2lnbmF0dXJl"),
        ({"gateway_token": "abcdef"}, "abcdef"),
    ],
)
def test_secrets_do_not_reach_a_log_line(event: dict[str, object], hidden: str) -> None:
    assert hidden not in str(hide_secrets(None, "info", event))


def test_hashes_and_comparison() -> None:
    assert len(hash_secret("a")) == 64
    assert same("a", "a")
    assert not same("a", "b")


def test_a_malformed_request_id_is_replaced() -> None:
    assert correlation.begin("abc-1") == "abc-1"
    assert correlation.begin("a\nforged line") != "a\nforged line"
    assert correlation.begin("x" * 500) != "x" * 500


def test_what_follows_from_what() -> None:
    assert correlation.following("abc") == "abc~1"
    assert correlation.following(correlation.following("abc")) == "abc~2"
    assert correlation.following(None) is None
    assert correlation.line("abc~2") == ["abc", "abc~1", "abc~2"]
    assert correlation.begin("abc~2") == "abc~2"
    assert correlation.trace_id_of("abc~2") == correlation.trace_id_of("abc")
    assert correlation.from_outside("abc") == "abc"
    assert correlation.from_outside("abc~2") is None


def test_tenant_labels_are_bounded() -> None:
    labels = {tenant_label(new_id()) for _ in range(500)}
    assert len(labels) <= 201
    assert "other" in labels


def test_pages_and_cursors() -> None:
    class Row:
        def __init__(self) -> None:
            self.id = new_id()

    rows = [Row() for _ in range(3)]
    page, cursor = cut_page(rows, 2)
    assert len(page) == 2
    assert before_id(cursor) == rows[1].id
    assert cut_page(rows, 3)[1] is None
    with pytest.raises(InvalidInput, match="cursor"):
        before_id("nonsense")


async def test_what_is_done_for_ever_survives_an_error_that_nobody_thought_of() -> None:
    done = asyncio.Event()
    errors: list[Exception] = [OSError("passes"), ValueError("a bug")]

    async def work() -> None:
        if errors:
            raise errors.pop(0)
        done.set()

    task = asyncio.create_task(forever(work, 0, passing=(OSError,), what="a test"))
    async with asyncio.timeout(60):
        await done.wait()
    await end(task)


def test_faults_are_counted_from_zero() -> None:
    requests_counter("GET", "/of/this/test", "2xx").inc()
    deliveries_counter("of this test", "sent").inc()
    assert REGISTRY.get_sample_value(
        "http_requests_total", {"method": "GET", "route": "/of/this/test", "status_code": "5xx"}
    ) == pytest.approx(0)
    for outcome in ("failed", "refused", "dead"):
        labels = {"channel_type": "of this test", "outcome": outcome}
        assert REGISTRY.get_sample_value("deliveries_total", labels) == pytest.approx(0)
    for value in Outcome:
        labels = {"purpose": "answer", "outcome": value}
        assert REGISTRY.get_sample_value("llm_requests_total", labels) is not None
