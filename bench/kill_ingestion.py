"""Kill ingestion workers with -9 again and again; then count what was lost or doubled.

`python -m bench.kill_ingestion --kills 10` for one large file; `--jobs 1000 --kills 50` for many small ones. Prints one
line of JSON: jobs, kills, lost, doubled, missing, seconds, the longest takeover (from a kill to the next progress).
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import text

from chatbot.apps.runtime import Runtime, open_runtime
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.db.bootstrap import create_bundled_database, prepare_database
from chatbot.db.models import Brand, Tenant
from chatbot.db.server import BundledPostgres
from chatbot.identity.tokens import TokenKeys
from chatbot.knowledge.content import content_of_json
from chatbot.knowledge.schemas import NewSource
from chatbot.knowledge.service import KnowledgeService

WORDS = [
    "valve",
    "order",
    "refund",
    "parcel",
    "invoice",
    "filter",
    "account",
    "warranty",
    "battery",
    "sensor",
    "driver",
    "update",
    "screen",
    "cable",
]


def document(sections: int, seed: int) -> str:
    """A manual of so many sections, about one passage each, every one different."""
    rng = random.Random(seed)
    body = (" ".join(rng.choices(WORDS, k=140)) for _ in range(sections))
    return "\n\n".join(f"## Section {n} of {seed}\n\n{line.capitalize()}." for n, line in enumerate(body))


async def torture(runtime: Runtime, url: str, jobs: int, sections: int, kills: int) -> dict[str, Any]:
    """Queue the work, kill workers while it is done, count."""
    tenant, brand = await _tenant(runtime)
    store = runtime.retriever.store
    service = KnowledgeService(runtime.database, runtime.blobs, runtime.jobs, store, runtime.settings)
    for number in range(jobs):
        given = NewSource(title=f"Manual {number}", content=document(sections, number), external_id=str(number))
        content = content_of_json(given, limit=1 << 30)
        assert content is not None
        await service.take_content(tenant, brand, given, content)
    began, longest = time.monotonic(), 0.0
    for number in range(kills):
        worker = _start_worker(runtime, url)
        before = await _progress(runtime)
        killed = time.monotonic()
        await _until(partial(_changed, runtime, before))
        if number:
            longest = max(longest, time.monotonic() - killed)
        await asyncio.sleep(random.uniform(0.2, 3.0))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        if await _open(runtime) == 0:
            kills = number + 1
            break
    worker = _start_worker(runtime, url)
    await _until(partial(_all_ended, runtime))
    worker.terminate()
    worker.wait()
    found = await _counts(runtime)
    return {"jobs": jobs, "kills": kills, **found, "seconds": round(time.monotonic() - began, 1),
            "longest_takeover_s": round(longest, 1)}  # fmt: skip


async def _tenant(runtime: Runtime) -> tuple[Any, Any]:
    tenant, brand = new_id(), new_id()
    async with runtime.database.platform() as session:
        session.add(Tenant(id=tenant, name="Torture", default_brand_id=brand))
        await session.flush()
        session.add(Brand(tenant_id=tenant, id=brand, name="Torture"))
    return tenant, brand


def _start_worker(runtime: Runtime, url: str) -> "subprocess.Popen[bytes]":
    ours = {"DATABASE_URL": url, "XIN_DATA_DIR": str(runtime.settings.data_dir), "EMBEDDER": "none"}
    environment = {**os.environ, **ours, "INGEST_METRICS_PORT": "0", "LOG_LEVEL": "ERROR"}
    return subprocess.Popen([sys.executable, "-m", "chatbot.apps.ingestion_worker"], env=environment)


async def _one(runtime: Runtime, statement: str) -> Any:
    async with runtime.database.platform() as session:
        return (await session.execute(text(statement))).one()


async def _progress(runtime: Runtime) -> Any:
    done = "SELECT sum(done), count(*) FILTER (WHERE status = 'completed') FROM ingestion_jobs"
    return await _one(runtime, done)


async def _until(true: Callable[[], Awaitable[bool]]) -> None:
    while not await true():  # noqa: ASYNC110 - other processes make it true
        await asyncio.sleep(0.2)


async def _changed(runtime: Runtime, before: Any) -> bool:
    return bool(await _progress(runtime) != before)


async def _all_ended(runtime: Runtime) -> bool:
    return await _open(runtime) == 0


async def _open(runtime: Runtime) -> int:
    found = await _one(runtime, "SELECT count(*) FROM ingestion_jobs WHERE status IN ('pending', 'running')")
    return int(found[0])


async def _counts(runtime: Runtime) -> dict[str, int]:
    lost = await _one(runtime, "SELECT count(*) FROM ingestion_jobs WHERE status <> 'completed'")
    passages = await _one(
        runtime,
        "SELECT count(*), count(*) - count(DISTINCT (source_id, version, ordinal)), count(DISTINCT content_hash), "
        "(SELECT coalesce(sum(total), 0) FROM ingestion_jobs), "
        "(SELECT coalesce(sum(passages), 0) FROM brand_statistics) "
        "FROM passages",
    )
    stored, doubled, distinct, expected, counted = map(int, passages)
    return {"lost_jobs": int(lost[0]), "passages": stored, "doubled": doubled, "same_text_twice": stored - distinct,
            "missing": expected - stored, "statistics_off_by": counted - stored}  # fmt: skip


async def _main(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="xin-kill-", ignore_cleanup_errors=True) as folder:
        server = BundledPostgres(Path(folder))
        server.start()
        try:
            create_bundled_database(server.url)
            prepare_database(server.url)
            settings = Settings(xin_data_dir=Path(folder), embedder="none")
            async with open_runtime(settings, server.url, TokenKeys(admin="a" * 32, embed="e" * 32)) as runtime:
                result = await torture(runtime, server.url, arguments.jobs, arguments.sections, arguments.kills)
        finally:
            server.stop()
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--sections", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    asyncio.run(_main(parser.parse_args()))
