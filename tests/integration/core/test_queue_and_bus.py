"""The queue commits with the caller's rows; dead workers' jobs run again; the bus wakes."""

import asyncio
from contextlib import suppress
from typing import Any

import procrastinate
import psycopg
import pytest
from procrastinate.exceptions import ConnectorException
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from chatbot.core import correlation
from chatbot.core.bus import Bus
from chatbot.core.errors import Unavailable
from chatbot.core.logging import get_logger
from chatbot.db.roles import PLATFORM_ROLE, conninfo, role_url
from chatbot.db.sessions import Database
from chatbot.jobs.app import enqueue, enqueue_many, make_app
from chatbot.jobs.worker import WorkerState, rescue_stalled, run_worker, working
from tests.conftest import TenantRows


def _blueprint(done: list[str]) -> procrastinate.Blueprint:
    blueprint = procrastinate.Blueprint()

    @blueprint.task(name="note", pass_context=False)
    async def note(text: str, correlation_id: str = "") -> None:
        done.append(text)

    return blueprint


async def test_a_job_commits_with_its_row_or_not_at_all(
    database: Database, database_url: str, tenant: TenantRows
) -> None:
    done: list[str] = []
    app = make_app(database_url)
    app.add_tasks_from(_blueprint(done), namespace="test")
    async with app.open_async():
        with suppress(RuntimeError):
            async with database.tenant(tenant.id) as session:
                await enqueue(app, session, "test:note", queue="q", arguments={"text": "rolled back"})
                raise RuntimeError
        async with database.tenant(tenant.id) as session:
            await enqueue(app, session, "test:note", queue="q", arguments={"text": "kept"}, queueing_lock="one")
            again = await enqueue(app, session, "test:note", queue="q", arguments={"text": "x"}, queueing_lock="one")
            assert again is None
        await app.run_worker_async(queues=["q"], wait=False, install_signal_handlers=False)
    assert done == ["kept"]


async def test_many_jobs_are_added_at_once_in_the_order_of_their_priority(
    database: Database, database_url: str, tenant: TenantRows
) -> None:
    done: list[str] = []
    app = make_app(database_url)
    app.add_tasks_from(_blueprint(done), namespace="test")
    async with app.open_async():
        with suppress(RuntimeError):
            async with database.tenant(tenant.id) as session:
                await enqueue_many(app, session, "test:note", queue="m", tasks=[(0, {"text": "rolled back"})])
                raise RuntimeError
        async with database.tenant(tenant.id) as session:
            tasks = [(-number, {"text": str(number)}) for number in (3, 1, 2)]
            await enqueue_many(app, session, "test:note", queue="m", tasks=tasks)
            await enqueue_many(app, session, "test:note", queue="m", tasks=[])
        await app.run_worker_async(queues=["m"], wait=False, install_signal_handlers=False)
    assert done == ["1", "2", "3"]


async def test_a_jobs_log_lines_carry_whose_it_is_and_what_it_follows_from(
    database: Database, database_url: str, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    blueprint, done = procrastinate.Blueprint(), asyncio.Event()

    @blueprint.task(name="tell")
    async def tell(**given: str) -> None:
        get_logger("of the test").info("told", number=given["number"])
        if given["number"] == "3":
            done.set()

    app = make_app(database_url)
    app.add_tasks_from(blueprint, namespace="test")
    owners = {"1": str(tenant.id), "2": str(other_tenant.id), "3": None}
    with capture_logs(processors=[merge_contextvars]) as logs:
        async with app.open_async():
            for number, owner in owners.items():
                arguments = {"number": number, "secret_text": "a visitor's words"} | (
                    {"tenant_id": owner} if owner else {}
                )
                async with database.tenant(tenant.id) as session:
                    correlation.begin(f"follows-{number}")
                    await enqueue(app, session, "test:tell", queue="l", arguments=arguments)
            state = WorkerState()
            with pytest.raises(Unavailable, match="no job is taken"):
                await state.check()
            worker = asyncio.create_task(
                run_worker(app, queues=["l"], concurrency=1, name="w", drain_seconds=1, state=state)
            )
            async with asyncio.timeout(60):
                await done.wait()
            await state.check()
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker
            with pytest.raises(Unavailable, match="no job is taken"):
                await state.check()
    told = {line["number"]: line for line in logs if line["event"] == "told"}
    assert {number: line.get("tenant_id") for number, line in told.items()} == owners
    assert {number: line["correlation_id"] for number, line in told.items()} == {
        number: f"follows-{number}" for number in owners
    }
    assert all("secret_text" not in line for line in told.values())


async def test_a_dead_workers_job_is_put_back(database: Database, database_url: str, tenant: TenantRows) -> None:
    done: list[str] = []
    app = make_app(database_url)
    app.add_tasks_from(_blueprint(done), namespace="test")
    async with app.open_async():
        async with database.tenant(tenant.id) as session:
            number = await enqueue(app, session, "test:note", queue="r", arguments={"text": "rescued"})
        with psycopg.connect(database_url, autocommit=True) as owner:
            worker = owner.execute(
                "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id"
            ).fetchone()
            assert worker
            owner.execute(
                "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE id = %s", (worker[0], number)
            )
        assert await rescue_stalled(app) == 1
        task = asyncio.create_task(run_worker(app, queues=["r"], concurrency=1, name="w", drain_seconds=1))
        for _ in range(1200):
            if done:
                break
            await asyncio.sleep(0.05)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert done == ["rescued"]


async def test_a_worker_that_dies_ends_what_cannot_do_without_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(database_url)
    app.add_tasks_from(_blueprint([]), namespace="test")

    async def dies(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(app, "run_worker_async", dies)
    async with app.open_async():
        with pytest.raises(MemoryError):
            async with working(app, queues=["d"], concurrency=1, name="w"):
                await asyncio.Event().wait()  # as a process does, until it is told to stop


async def test_a_worker_outlives_a_database_that_is_away(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(database_url)
    done: list[str] = []
    app.add_tasks_from(_blueprint(done), namespace="test")
    run, tries, runs = app.run_worker_async, 0, asyncio.Event()

    async def away(**options: Any) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ConnectorException("the database is away")
        runs.set()
        await run(**options)

    monkeypatch.setattr(app, "run_worker_async", away)
    async with app.open_async(), working(app, queues=["d"], concurrency=1, name="w"), asyncio.timeout(60):
        await runs.wait()


async def test_a_dead_workers_job_is_put_back_though_the_same_work_waits(
    database: Database, database_url: str, tenant: TenantRows
) -> None:
    done: list[str] = []
    app = make_app(database_url)
    app.add_tasks_from(_blueprint(done), namespace="test")
    async with app.open_async():
        numbers = []
        for words in ("of the dead", "behind it"):
            async with database.tenant(tenant.id) as session:
                job = await enqueue(
                    app, session, "test:note", queue="s", arguments={"text": words}, lock="l", queueing_lock="l"
                )
                numbers.append(job)
            with psycopg.connect(database_url, autocommit=True) as owner:
                owner.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", (numbers[0],))
        assert None not in numbers
        assert await rescue_stalled(app) == 1
        assert await rescue_stalled(app) == 0
        await app.run_worker_async(queues=["s"], wait=False, install_signal_handlers=False)
        await app.run_worker_async(queues=["s"], wait=False, install_signal_handlers=False)
    assert done == ["of the dead", "behind it"]


async def test_a_failed_job_is_tried_again_though_the_same_work_waits(
    database: Database, database_url: str, tenant: TenantRows
) -> None:
    tries: list[int] = []
    app = make_app(database_url)
    blueprint = procrastinate.Blueprint()

    async def again() -> None:
        async with database.tenant(tenant.id) as session:
            await enqueue(app, session, "test:try", queue="f", arguments={}, lock="f", queueing_lock="f")

    @blueprint.task(name="try", queue="f", retry=2)
    async def attempt(correlation_id: str) -> None:
        tries.append(len(tries))
        if len(tries) == 1:
            await again()  # while this one runs, the same work begins to wait
            raise RuntimeError("the first try fails")

    app.add_tasks_from(blueprint, namespace="test")
    async with app.open_async():
        await again()
        for _ in range(3):
            await app.run_worker_async(queues=["f"], wait=False, install_signal_handlers=False)
    assert len(tries) == 3


async def test_a_tenant_session_can_enqueue_and_nothing_else(database: Database, tenant: TenantRows) -> None:

    with pytest.raises(ProgrammingError, match="permission denied"):
        async with database.tenant(tenant.id) as session:
            await session.execute(text("SELECT count(*) FROM procrastinate_jobs"))


async def test_the_bus_wakes_only_those_who_wait_for_this(database_url: str) -> None:
    bus = Bus(conninfo(role_url(database_url, PLATFORM_ROLE)), ("xin_message",))
    await bus.start()
    try:
        async with bus.subscribe("xin_message", "a") as a, bus.subscribe("xin_message", "b") as b:
            async with asyncio.timeout(60):
                await asyncio.gather(a.wait(), b.wait())  # it listens now
                a.clear(), b.clear()
                with psycopg.connect(database_url, autocommit=True) as owner:
                    owner.execute("SELECT pg_notify('xin_message', 'a')")
                await a.wait()
            assert not b.is_set()
    finally:
        await bus.stop()


async def test_everybody_looks_again_once_a_lost_connection_is_back(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatbot.core.bus._RECONNECT_SECONDS", 0.01)
    bus = Bus(conninfo(role_url(database_url, PLATFORM_ROLE)), ("xin_message",))
    woken = asyncio.Event()
    bus.watch("xin_message", "a", woken.set)
    await bus.start()
    try:
        async with asyncio.timeout(60):
            await woken.wait()
            woken.clear()
            with psycopg.connect(database_url, autocommit=True) as owner:
                owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
            await woken.wait()
    finally:
        await bus.stop()
    bus.unwatch("xin_message", "a", woken.set)
