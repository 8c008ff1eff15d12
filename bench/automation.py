"""How fast events are held against rules, how late a rule starts, and what that takes of memory.

`python -m bench.automation [--events 100000] [--rules 100] [--pace 200]` prints one line of JSON. Each rule compares
the words, the language and the tags of a message; one event in a hundred starts one. First all events lie there at once
(events per second of one dispatcher), then a worker of its own process does the jobs (jobs per second), then events
come at a pace: the lag is from an event to the job that it starts.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg

from bench.figures import percentile
from bench.servers import Server, free_port
from chatbot.automation.firing.dispatcher import Dispatcher
from chatbot.automation.rules.schemas import CreateRule
from chatbot.automation.rules.service import create
from chatbot.core.crypto import random_key
from chatbot.core.ids import new_id
from chatbot.db.bootstrap import create_bundled_database, prepare_database
from chatbot.db.server import BundledPostgres
from chatbot.db.sessions import Database
from chatbot.identity.subject import Role, Subject
from chatbot.jobs.app import make_app

_PACED_SECONDS = 20

_TENANT = "INSERT INTO tenants (id, name, default_brand_id) VALUES (%(tenant)s, 'T', %(brand)s)"
_BRAND = "INSERT INTO brands (tenant_id, id, name) VALUES (%(tenant)s, %(brand)s, 'B')"
_CHANNEL = """
INSERT INTO channels (tenant_id, id, brand_id, channel_type, display_name)
VALUES (%(tenant)s, %(channel)s, %(brand)s, 'web', 'W')
"""
_CONVERSATIONS = """
INSERT INTO conversations (tenant_id, id, brand_id, channel_id, session_key, last_seq)
SELECT %(tenant)s, uuidv7(), %(brand)s, %(channel)s, n::text, 50 FROM generate_series(1, %(conversations)s) AS n
"""
_MESSAGES = """
INSERT INTO messages (tenant_id, id, conversation_id, channel_id, seq, role, status, text, language)
SELECT %(tenant)s, uuidv7(), c.id, %(channel)s, seq, 'visitor', 'complete',
       CASE WHEN seq %% 50 = 0 AND c.n %% 2 = 0 THEN 'I want a refund, case' || (c.n / 2) %% %(rules)s || ' please.'
            ELSE 'What a visitor says of the order that did not come, and asks where it is.' END, 'en'
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM conversations WHERE tenant_id = %(tenant)s) AS c,
     generate_series(1, 50) AS seq
"""
_MIXED = """
CREATE TEMP TABLE told AS
SELECT row_number() OVER (ORDER BY md5(CAST(id AS text))) AS n, conversation_id, id FROM messages
"""
_EVENTS = """
INSERT INTO events (tenant_id, name, payload)
SELECT %(tenant)s, 'message.received', jsonb_build_object('conversation_id', conversation_id, 'message_id', id)
FROM told WHERE n > %(skip)s AND n <= %(skip)s + %(count)s
"""
_OPEN = "SELECT count(*) FROM automation_jobs WHERE status IN ('pending', 'running')"
_LAGS = """
SELECT extract(epoch FROM j.created_at - CAST(j.event->>'at' AS timestamptz)) FROM automation_jobs j
WHERE j.created_at > %(since)s
"""


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=100_000)
    options.add_argument("--rules", type=int, default=100)
    options.add_argument("--pace", type=int, default=200)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="xin-bench-") as folder:
        server = BundledPostgres(Path(folder) / "db")
        server.start()
        try:
            create_bundled_database(server.url)
            prepare_database(server.url)
            measured = Measured(server.url, Path(folder), given.events, given.rules, given.pace)
            print(json.dumps(measured.all()))
        finally:
            server.stop()


class Measured:
    """One run."""

    def __init__(self, url: str, folder: Path, events: int, rules: int, pace: int) -> None:
        self._url = url
        self._folder = folder
        self._tenant = new_id()
        self._values = {
            "tenant": self._tenant, "brand": new_id(), "channel": new_id(), "rules": rules,
            "conversations": events // 50,
        }  # fmt: skip
        self._events = events
        self._rules = rules
        self._pace = pace

    def all(self) -> dict[str, Any]:
        """Fill the database and measure one thing after the other."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            for statement in (_TENANT, _BRAND, _CHANNEL, _CONVERSATIONS, _MESSAGES, _MIXED):
                connection.execute(statement.encode(), self._values)
            connection.execute("VACUUM ANALYZE")
            figures = asyncio.run(self._at_once(connection))
            with self._worker() as worker:
                figures |= self._jobs(connection)
                figures |= self._paced(connection)
                figures["worker_mb"] = round(psutil.Process(worker.pid).memory_info().rss / 1e6)
        return figures

    async def _at_once(self, connection: psycopg.Connection[Any]) -> dict[str, Any]:
        async with Database(self._url) as database, (queue := make_app(self._url)).open_async():
            for number in range(self._rules):
                async with database.tenant(self._tenant) as session:
                    await create(session, Subject("bench", Role.PLATFORM_ADMIN), _rule(self._tenant, number))
            self._happen(connection, self._events)
            began, cpu = time.perf_counter(), time.process_time()
            jobs = await Dispatcher(database, queue).events(self._tenant)
            took, cpu = time.perf_counter() - began, time.process_time() - cpu
        return {
            "events": self._events, "rules": self._rules, "jobs": jobs, "events_per_second": round(self._events / took),
            "own_cpu_ms_per_1000_events": round(cpu * 1e6 / self._events),
        }  # fmt: skip

    def _jobs(self, connection: psycopg.Connection[Any]) -> dict[str, Any]:
        open_before, began = self._open(connection), time.perf_counter()
        while (left := self._open(connection)) > 0:
            time.sleep(0.1)
        assert left == 0
        return {"jobs_per_second": round(open_before / (time.perf_counter() - began))}

    def _paced(self, connection: psycopg.Connection[Any]) -> dict[str, Any]:
        since = connection.execute("SELECT now()").fetchall()[0][0]
        for number in range(_PACED_SECONDS * 10):
            until = time.perf_counter() + 0.1
            self._happen(connection, self._pace // 10, skip=number * self._pace // 10)
            time.sleep(max(0.0, until - time.perf_counter()))
        time.sleep(3)
        lags = [float(row[0]) for row in connection.execute(_LAGS, {"since": since}).fetchall()]
        return {
            "pace": self._pace, "lag_ms_p50": round(percentile(lags, 0.5) * 1000),
            "lag_ms_p95": round(percentile(lags, 0.95) * 1000), "paced_jobs": len(lags),
        }  # fmt: skip

    def _happen(self, connection: psycopg.Connection[Any], count: int, skip: int = 0) -> None:
        connection.execute(_EVENTS.encode(), {**self._values, "count": count, "skip": skip})

    def _open(self, connection: psycopg.Connection[Any]) -> int:
        return int(connection.execute(_OPEN).fetchall()[0][0])

    def _worker(self) -> Server:
        port = free_port()
        settings = {
            "DATABASE_URL": self._url, "XIN_DATA_DIR": str(self._folder / "data"), "LOG_LEVEL": "WARNING",
            "AUTOMATION_METRICS_PORT": str(port), "XIN_ENCRYPTION_KEYS": random_key(),
            "PATH": os.environ.get("PATH", ""),
        }  # fmt: skip
        return Server(["chatbot", "automation-worker"], port=port, log=self._folder / "worker.log", settings=settings)


def _rule(tenant_id: UUID, number: int) -> CreateRule:
    return CreateRule.model_validate({
        "tenant_id": tenant_id,
        "name": f"Rule {number}",
        "trigger": {"type": "event", "name": "message.received"},
        "conditions": {"all": [
            {"field": "message.language", "op": "is", "value": "en"},
            {"field": "conversation.tags", "op": "has_none", "value": "spam"},
            {"field": "message.text", "op": "contains", "value": "refund"},
            {"field": "message.text", "op": "has_words", "value": f"case{number}"},
        ]},
        "actions": [{"type": "set_variable", "name": "asked", "value": "{{message.text}}"}],
    })  # fmt: skip


if __name__ == "__main__":
    main()
