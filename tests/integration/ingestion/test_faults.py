"""What goes wrong around ingestion, and that nothing is lost: poison, a store that is down, a crowd, dead workers."""

import asyncio
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import psutil
import psycopg
import pytest
from moto.server import ThreadedMotoServer
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chatbot.core.errors import Unavailable
from chatbot.core.ids import new_id
from chatbot.core.metrics import tenant_label
from chatbot.db.sessions import Database, TenantSession
from chatbot.knowledge import queueing
from chatbot.knowledge.content import Content
from chatbot.knowledge.ingestion.pipeline import Pace
from chatbot.knowledge.ingestion.watch import Watch
from chatbot.knowledge.schemas import SourceLabels
from chatbot.knowledge.service import KnowledgeService
from tests.conftest import make_tenant
from tests.integration.ingestion.conftest import Client, platform, settings_for, working
from tests.integration.ingestion.test_lives import manual

QUICK = Pace(retry_seconds=0)
POISON = "<html><body>" + "".join(f"<p>line {n} of a slow page</p>" for n in range(120_000)) + "</body></html>"


def uploads(folder: Path) -> list[Path]:
    """List the files that were given and are kept."""
    return [path for path in folder.rglob("*") if path.is_file() and "uploads" in path.parts]


class DeafDatabase(Database):
    """Commits, and then loses the connection before it can say so."""

    @asynccontextmanager
    async def tenant(self, tenant_id: UUID) -> AsyncIterator[TenantSession]:
        async with super().tenant(tenant_id) as session:
            yield session
        raise psycopg.OperationalError("the answer to COMMIT was lost")


@asynccontextmanager
async def parsers_die() -> AsyncIterator[list[int]]:
    """Kill each parser child soon after it was given work, as a file that breaks its reader would."""
    killed: list[int] = []

    async def hunt() -> None:
        while True:
            for child in psutil.Process().children():
                with suppress(psutil.Error):
                    if "chatbot.knowledge.parse.child" in child.cmdline() and child.cpu_times().user > 0.25:
                        child.kill()
                        killed.append(child.pid)
            await asyncio.sleep(0.02)

    task = asyncio.create_task(hunt())
    try:
        yield killed
    finally:
        task.cancel()


async def test_a_file_stays_when_only_the_answer_to_its_commit_was_lost(idle: Client, tmp_path: Path) -> None:
    runtime, tenant = idle.runtime, idle.tenant
    service = KnowledgeService(
        DeafDatabase(runtime.database.url), runtime.blobs, runtime.jobs, runtime.retriever.store, runtime.settings
    )
    labels, body = SourceLabels(title="Notes", tags=[], visibility="public"), b"Parcels come in two days."
    content = Content("text", io.BytesIO(body), len(body), hashlib.sha256(body).hexdigest(), None, "text/plain")
    async with service.database:
        with pytest.raises(psycopg.OperationalError, match="lost"):
            await service.take_content(tenant.id, tenant.brand_id, labels, content)
        with pytest.raises(IntegrityError):
            await service.take_content(tenant.id, new_id(), labels, replace(content, body=io.BytesIO(body)))
    key = await idle.scalar("SELECT blob_key FROM knowledge_sources WHERE tenant_id = :t", t=tenant.id)
    assert await runtime.blobs.get(key) == body
    assert len(uploads(tmp_path)) == 1
    async with working(runtime):
        job = await idle.scalar("SELECT id FROM ingestion_jobs WHERE tenant_id = :t", t=tenant.id)
        assert (await idle.ended(str(job)))["status"] == "completed"


async def test_a_poison_file_gets_three_tries_and_the_next_hundred_finish(idle: Client) -> None:
    poison = await idle.upload("poison.html", POISON.encode())
    async with working(idle.runtime, QUICK):
        async with parsers_die() as killed:
            job = await idle.ended(poison["job"]["id"])
        assert (job["status"], job["attempts"], job["reason_code"]) == ("failed", 3, "out_of_memory")
        assert "memory" in job["reason"]
        assert len(killed) == 3
        taken = await asyncio.gather(*(idle.upload(f"{n}.txt", f"Number {n} is fine.".encode()) for n in range(100)))
        ends = [await idle.ended(answer["job"]["id"]) for answer in taken]
    assert {end["status"] for end in ends} == {"completed"}
    listed = await idle.call("GET", "/admin/ingestion_jobs", params={"status": "failed"})
    assert [item["id"] for item in listed["items"]] == [poison["job"]["id"]]


async def test_a_crowd_of_one_tenant_does_not_hold_up_another(idle: Client) -> None:
    other = Client(idle.http, idle.runtime, await make_tenant(idle.runtime.database, "Small"))
    crowd = [await idle.give(title=f"t{n}", content=f"Text number {n}.") for n in range(80)]
    large = await idle.give(title="Manual", content=manual(800))
    single = await other.give(title="Only one", content="The only text.")
    async with working(idle.runtime):
        await other.ended(single["job_id"])
        waiting = await idle.scalar(
            "SELECT count(*) FROM ingestion_jobs WHERE tenant_id = :t AND (finished_at IS NULL OR finished_at > "
            "(SELECT finished_at FROM ingestion_jobs WHERE id = :single))",
            t=idle.tenant.id, single=single["job_id"],
        )  # fmt: skip
        assert waiting > 60
        for job_id in (*(answer["job_id"] for answer in crowd), large["job_id"]):
            assert (await idle.ended(job_id))["status"] == "completed"


async def test_figures_for_the_operators(idle: Client) -> None:
    await idle.give(title="Waits", content="It waits.")
    runtime = idle.runtime
    watch = Watch(runtime.database, runtime.jobs, runtime.settings.ingest_queue_name)
    await watch.refresh_figures()
    tenant = {"tenant": tenant_label(idle.tenant.id)}
    assert (REGISTRY.get_sample_value("ingestion_queue_depth") or 0) >= 1
    assert REGISTRY.get_sample_value("ingestion_lag_seconds", tenant) is not None
    assert REGISTRY.get_sample_value("ingestion_in_flight", tenant) == 0


async def test_a_job_whose_task_was_lost_is_queued_again(idle: Client) -> None:
    taken = await idle.give(title="Lost", content="Its task is lost.")
    async with idle.runtime.database.platform() as session:
        await session.execute(text("DELETE FROM procrastinate_jobs"))
        await session.execute(text("UPDATE ingestion_jobs SET created_at = now() - interval '2 minutes'"))
    runtime = idle.runtime
    assert await Watch(runtime.database, runtime.jobs, runtime.settings.ingest_queue_name).queue_lost_jobs() >= 1
    async with working(runtime):
        assert (await idle.ended(taken["job_id"]))["status"] == "completed"


@pytest.fixture
def s3() -> Iterator[ThreadedMotoServer]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server
    with suppress(Exception):
        server.stop()


async def test_files_in_s3_and_the_store_going_down(database_url: str, s3: ThreadedMotoServer, tmp_path: Path) -> None:
    host, port = s3.get_host_and_port()
    stored = {"storage_endpoint_url": f"http://{host}:{port}", "storage_access_key": "k", "storage_secret_key": "s"}
    async with platform(database_url, settings_for(tmp_path, **stored)) as client:
        async with working(client.runtime):
            taken = await client.upload("big.txt", ("A line of text, long enough.\n" * 60_000).encode())
            assert (await client.until(taken["job"]["id"], lambda job: job["done"] > 0))["stage"] == "index"
            await client.call("DELETE", f"/admin/knowledge_assets/{taken['asset']['id']}", 204)
        s3.stop()
        problem = await client.upload("lost.txt", b"Nobody will see this.", 503)
        assert problem["code"] == "unavailable"
        assert (
            await client.scalar("SELECT count(*) FROM knowledge_sources WHERE tenant_id = :t", t=client.tenant.id) == 0
        )
        assert await client.scalar("SELECT count(*) FROM ingestion_jobs WHERE tenant_id = :t", t=client.tenant.id) == 0


async def test_a_transaction_that_fails_takes_its_file_along(idle: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise Unavailable("the queue is away")

    monkeypatch.setattr(queueing, "enqueue_many", refuse)
    await idle.upload("orphan.txt", b"An orphan.", 503)
    folder = idle.runtime.settings.folder("uploads")
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert (await idle.call("GET", "/admin/knowledge_assets"))["items"] == []


def worker_environment(client: Client, metrics_port: int = 0) -> dict[str, str]:
    """The environment of a worker process on the platform's database and files."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("XIN_")},
        "DATABASE_URL": client.runtime.database.url,
        "XIN_DATA_DIR": str(client.runtime.settings.data_dir),
        "EMBEDDER": "none",
        "INGEST_METRICS_HOST": "127.0.0.1",
        "INGEST_METRICS_PORT": str(metrics_port),
    }


COMMAND = [sys.executable, "-m", "chatbot.apps.ingestion_worker"]


@contextmanager
def worker(client: Client) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker process."""
    process = subprocess.Popen(COMMAND, env=worker_environment(client), stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


async def forget_heartbeats(client: Client) -> None:
    """Make a killed worker look silent for a minute, so that the test need not wait for it."""
    async with client.runtime.database.platform() as session:
        await session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"))


async def test_a_killed_worker_loses_and_doubles_nothing(idle: Client) -> None:
    taken = await idle.give(title="Manual", content=manual(3000))
    done = 0
    for _ in range(2):
        with worker(idle) as process:
            job = await idle.until(taken["job_id"], lambda job, floor=done: job["done"] > floor + 60)
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=60)
        done = (await idle.job(taken["job_id"]))["done"]
        assert done >= job["done"]
        await forget_heartbeats(idle)
    with worker(idle) as process:
        job = await idle.ended(taken["job_id"])
        process.terminate()
        _, log = process.communicate(timeout=100)
    assert process.returncode == 0
    assert "ingestion worker stopped" in log.decode()
    assert job["status"] == "completed"
    ordinals = "SELECT string_agg(ordinal::text, ',' ORDER BY ordinal) FROM passages WHERE source_id = :id"
    found = await idle.scalar(ordinals, id=taken["source_id"])
    assert found == ",".join(map(str, range(job["total"])))
    assert job["total"] >= 3000
    assert (
        await idle.scalar("SELECT passages FROM brand_statistics WHERE tenant_id = :t", t=idle.tenant.id)
        == job["total"]
    )


async def test_a_worker_told_to_stop_gives_its_job_back(idle: Client) -> None:
    taken = await idle.give(title="Manual", content=manual(1500))
    with worker(idle) as process:
        await idle.until(taken["job_id"], lambda job: job["done"] > 0)
        process.terminate()
        _, log = process.communicate(timeout=100)
        assert process.returncode == 0
    lines = [json.loads(line) for line in log.decode().splitlines() if line.startswith("{")]
    assert {"ingestion worker ready", "ingestion worker stopped"} <= {line["event"] for line in lines}
    held = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing' AND args ->> 'job_id' = :job"
    assert await idle.scalar(held, job=taken["job_id"]) == 0
    async with working(idle.runtime):
        assert (await idle.ended(taken["job_id"]))["status"] == "completed"


async def test_a_taken_metrics_port_does_not_stop_a_worker(idle: Client) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    environment = worker_environment(idle, port)
    process = await asyncio.create_subprocess_exec(*COMMAND, env=environment, stderr=asyncio.subprocess.PIPE)
    assert process.stderr
    seen = b""
    async with asyncio.timeout(100):
        while b"ingestion worker ready" not in seen:
            seen += await process.stderr.readline()
    assert b"metrics port not available" in seen
    process.terminate()
    assert await process.wait() == 0
    server.close()
