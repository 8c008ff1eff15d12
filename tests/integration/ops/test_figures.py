"""Figures of the whole platform: each moves, label values are a closed set, and JSON says the ones looked at first."""

import threading
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from prometheus_client import REGISTRY

from chatbot.apps.runtime import Runtime
from chatbot.core import metrics
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database
from chatbot.ops.figures import machine
from chatbot.ops.figures.machine import disk_free, look_at_machine, memory_used, written_to
from chatbot.ops.figures.watch import look_at_database
from tests.conftest import TenantRows


def _value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def test_the_gauges_of_database_queues_disk_and_memory(
    runtime: Runtime, database: Database, settings: Settings, tenant: TenantRows
) -> None:
    await look_at_database(database, settings)
    look_at_machine(written_to(settings))
    assert _value("database_up") == 1
    assert (_value("database_size_bytes") or 0) > 1e6
    assert 0 < (_value("database_connections") or 0) < (_value("database_max_connections") or 0)
    assert 0 < (_value("database_cache_hit_ratio") or 0) <= 1
    for queue in ("turns", "deliveries", "ingestion", "automation"):
        assert _value("queue_jobs", queue=queue, status="waiting") == 0, queue
        assert _value("queue_oldest_seconds", queue=queue) == 0
    assert 0 < (_value("disk_free_ratio") or 0) <= 1
    assert 0 < (_value("disk_free_inodes_ratio") or 0) <= 1
    assert 0 < (_value("memory_used_ratio") or 0) <= 1


async def test_a_database_that_does_not_answer_is_down(settings: Settings) -> None:
    async with Database("postgresql://nobody@127.0.0.1:1/none", pool_size=1) as gone:
        with pytest.raises(Exception, match="(?i)connection"):
            await look_at_database(gone, settings)
    assert _value("database_up") == 0


def test_memory_is_that_of_the_container(tmp_path: Path) -> None:
    for name, text in (
        ("memory.max", "1000\n"), ("memory.current", "900\n"), ("memory.stat", "anon 500\ninactive_file 100\n")
    ):  # fmt: skip
        (tmp_path / name).write_text(text)
    assert memory_used(tmp_path) == 0.8
    (tmp_path / "memory.max").write_text("max\n")
    assert 0 < memory_used(tmp_path) <= 1
    assert all(0 < part <= 1 for part in disk_free(tmp_path))


def test_the_fullest_of_the_disks_that_are_written_to_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Settings
) -> None:
    apart = {name: tmp_path / name for name in ("xin_data_dir", "uploads_dir", "backup_dir", "logs_dir")}
    known = settings.model_copy(update=apart)
    assert written_to(known) == {folder.resolve() for folder in apart.values()}
    for full in apart.values():
        if full.name != "logs_dir":  # not made yet: it counts where it will be
            full.mkdir()
        place = full if full.exists() else tmp_path
        free = {place.resolve(): (0.07, 0.05)}
        monkeypatch.setattr(machine, "disk_free", lambda folder, free=free: free.get(folder, (0.9, 0.8)))
        look_at_machine(written_to(known))
        assert (_value("disk_free_ratio"), _value("disk_free_inodes_ratio")) == (0.07, 0.05), full


def test_a_disk_that_does_not_answer_hides_no_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "stale").mkdir()

    def look(folder: Path) -> tuple[float, float]:
        if folder.name == "stale":
            raise OSError(116, "Stale file handle")
        return 0.3, 0.4

    monkeypatch.setattr(machine, "disk_free", look)
    look_at_machine([tmp_path / "stale", tmp_path])
    assert (_value("disk_free_ratio"), _value("disk_free_inodes_ratio")) == (0.3, 0.4)


def test_a_look_that_fails_ends_no_watch(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Or the figure of a disk that fills up would stay as it was for good."""
    looks: list[float | None] = []

    class Enough(BaseException):
        pass

    def broken() -> float:
        looks.append(_value("disk_free_ratio"))
        metrics.DISK_FREE.set(0)
        raise ZeroDivisionError

    def pause(_seconds: float) -> None:
        if len(looks) == 3:
            raise Enough

    def begin(thread: threading.Thread) -> None:
        with pytest.raises(Enough):
            thread.run()

    monkeypatch.setattr(machine, "memory_used", broken)
    monkeypatch.setattr(machine.time, "sleep", pause)
    monkeypatch.setattr(machine.threading.Thread, "start", begin)
    machine.watch_machine(settings)
    assert len(looks) == 3
    assert all(looks), "what memory is like says nothing about the disk"


async def test_whoever_waits_for_a_person_is_counted(
    database: Database, settings: Settings, tenant: TenantRows, api: aiohttp.ClientSession
) -> None:
    async with api.post("/api/chat", json={"sessionId": "w", "message": "Hello"}) as answer:
        assert answer.status == 200
    async with api.post("/api/chat", json={"sessionId": "w", "message": "I want to talk to a human"}) as answer:
        assert (await answer.json())["mode"] in ("human", "no_answer"), await answer.text()
    await look_at_database(database, settings)
    assert (_value("handoff_waiting") or 0) >= 1
    assert (_value("handoff_oldest_wait_seconds") or 0) > 0


def test_tenants_are_few_labels_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_tenants_seen", set())
    labels = {metrics.tenant_label(uuid4()) for _ in range(5_000)}
    assert len(labels) == 201
    assert "other" in labels


async def test_the_json_says_what_an_operator_looks_at_first(api: aiohttp.ClientSession) -> None:
    async with api.get("/api/metrics") as answer:
        assert answer.status == 200
        before = await answer.json()
    assert before["openai"]["circuit_state"] == "closed"
    for probe in ("/health", "/health/live", "/health/ready", "/api/health", "/metrics"):
        async with api.get(probe) as answer:
            assert answer.status == 200
    async with api.get("/openapi.json") as answer:
        assert answer.status == 200
    async with api.get("/api/metrics") as answer:
        after = await answer.json()
    assert after["requests"]["total"] == before["requests"]["total"] + 1, "probes and scrapes are no requests"
    assert {"errors", "error_rate"} <= set(after["requests"])
    assert {"memory_mb", "uptime_seconds", "version", "disk_free_percent"} <= set(after)
    assert {"turns", "deliveries", "ingestion", "automation"} <= set(after["queues"])
