"""How long a report takes at a million messages: counted from the rows, and as past days are kept.

`python -m bench.analytics [--messages 1000000] [--days 90]` prints one line of JSON: milliseconds (median, least, most)
of a report on the last 30 days and on all of them, from the rows and kept, and the seconds of keeping all days.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from bench.figures import Figure
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.db.bootstrap import create_bundled_database, prepare_database
from chatbot.db.server import BundledPostgres
from chatbot.db.sessions import Database
from chatbot.ops.analytics.keeping import Keeper
from chatbot.ops.analytics.service import Wanted, report

_A_CONVERSATION = 7  # messages: three questions, three answers of the bot, one of a person
_TRIES = 9

_TENANT = """
INSERT INTO tenants (id, name, timezone, default_brand_id, created_at)
VALUES (%(tenant)s, 'T', %(zone)s, %(brand)s, now() - make_interval(days => %(days)s));
"""
_BRAND = "INSERT INTO brands (tenant_id, id, name) VALUES (%(tenant)s, %(brand)s, 'B')"
_CHANNELS = """
INSERT INTO channels (tenant_id, id, brand_id, channel_type, display_name)
SELECT %(tenant)s, uuidv7(), %(brand)s, t, t FROM unnest(ARRAY['web', 'telegram', 'email']) AS t
"""
_TALKS = """
CREATE TEMP TABLE talks AS
SELECT c.id AS channel_id, ago, uuidv7(-ago) AS id, now() - ago AS at
FROM generate_series(1, %(talks)s) AS n, LATERAL (SELECT n * make_interval(days => %(days)s) / %(talks)s AS ago) a,
LATERAL (SELECT id FROM channels WHERE tenant_id = %(tenant)s ORDER BY id OFFSET n %% 3 LIMIT 1) c
"""
_CONVERSATIONS = """
INSERT INTO conversations (tenant_id, id, brand_id, channel_id, session_key, created_at)
SELECT %(tenant)s, id, %(brand)s, channel_id, id::text, at FROM talks
"""
_MESSAGES = """
INSERT INTO messages (tenant_id, id, conversation_id, channel_id, seq, role, status, text, mode, created_at)
SELECT %(tenant)s, uuidv7(-ago + make_interval(secs => seq)), id, channel_id, seq,
       CASE WHEN seq = 7 THEN 'agent' WHEN seq %% 2 = 1 THEN 'visitor' ELSE 'bot' END, 'complete',
       repeat('What a visitor or the bot says. ', 6), CASE WHEN seq %% 2 = 0 THEN 'extractive' END,
       at + make_interval(secs => seq)
FROM talks, generate_series(1, 7) AS seq ORDER BY at
"""
_HANDOFFS = """
INSERT INTO handoffs (tenant_id, id, conversation_id, requested_by, requested_at, answered_at)
SELECT %(tenant)s, uuidv7(-ago), id, 'visitor', at, at + interval '3 seconds' FROM talks
"""
_USAGE = """
INSERT INTO usage_records (tenant_id, id, message_id, purpose, model, outcome, input_tokens, output_tokens, cost_micros,
                           milliseconds, created_at)
SELECT tenant_id, id, id, 'answer', 'm', 'completed', 100, 20, 5, 900, created_at FROM messages WHERE role = 'bot'
"""


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=1_000_000)
    options.add_argument("--days", type=int, default=90)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="xin-bench-") as folder:
        server = BundledPostgres(Path(folder))
        server.start()
        try:
            create_bundled_database(server.url)
            prepare_database(server.url)
            tenant = new_id()
            _fill(server.url, tenant, given.messages // _A_CONVERSATION, given.days)
            print(json.dumps(asyncio.run(_measure(server.url, tenant, given.days))))
        finally:
            server.stop()


def _fill(url: str, tenant: UUID, talks: int, days: int) -> None:
    values = {"tenant": tenant, "brand": new_id(), "talks": talks, "days": days, "zone": _late_evening()}
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (_TENANT, _BRAND, _CHANNELS, _TALKS, _CONVERSATIONS, _MESSAGES, _HANDOFFS, _USAGE):
            connection.execute(statement.encode(), values)
        connection.execute("VACUUM ANALYZE")


def _late_evening() -> str:
    """A zone in which it is past eleven in the evening: a whole day is counted from the rows, the most there can be."""
    ahead = 23 - utcnow().hour
    ahead -= 24 if ahead > 14 else 0
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


async def _measure(url: str, tenant: UUID, days: int) -> dict[str, Any]:
    now = utcnow()
    every_day = Wanted(first=(now - timedelta(days=days - 1)).date(), last=now.date())
    figures: dict[str, Any] = {}
    async with Database(url) as database:

        async def ask(wanted: Wanted) -> None:
            async with database.tenant_reader(tenant) as session:
                found = await report(session, wanted, now)
                assert found.total().messages

        for name in ("rows", "kept"):
            figures[f"{name}_30_days_ms"] = await _timed(lambda: ask(Wanted()))
            figures[f"{name}_{days}_days_ms"] = await _timed(lambda: ask(every_day))
            if name == "rows":
                began = time.perf_counter()
                await Keeper(database).catch_up()
                figures["keeping_seconds"] = round(time.perf_counter() - began, 2)
    return figures


async def _timed(work: Callable[[], Awaitable[None]]) -> str:
    taken = []
    for _ in range(_TRIES):
        began = time.perf_counter()
        await work()
        taken.append((time.perf_counter() - began) * 1000)
    return Figure.of(taken).shown()


if __name__ == "__main__":
    main()
