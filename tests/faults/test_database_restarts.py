"""PostgreSQL restarted again and again under load: processes go on by themselves, nothing acknowledged is gone."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import text

from chatbot.core.settings import Settings
from chatbot.db.bootstrap import create_bundled_database, prepare_database
from chatbot.db.server import BundledPostgres, _server_account
from chatbot.db.sessions import Database
from chatbot.identity.tokens import issue_embed_token
from tests.conftest import TEST_KEYS, TenantRows, bearer, make_tenant
from tests.faults.bounds import at_most
from tests.faults.fleet import Member, shared_variables
from tests.integration.dialogue.platform import DOCUMENTS, add_knowledge
from tests.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_RESTARTS = ("fast", "immediate", "fast", "immediate", "fast")
"""As an administrator restarts it, and as if it had crashed."""
_A_SECOND = 50
_ASKS = 5
"""Every fifth request is a question, the others read: two cores, shared with the load, carry 50 a second of these."""
_AT_ONCE = 100
"""So many requests under way, and no more: two seconds' worth, which a busy machine needs longer for."""
_BACK_WITHIN = at_most(15)
_BETWEEN = 6.0
_QUESTION = "How do I reset my password on iPhone?"
_KEPT = text("""
SELECT count(*) FROM messages reply
JOIN messages asked ON asked.tenant_id = reply.tenant_id AND asked.id = reply.reply_to
WHERE reply.id = ANY(:ids) AND reply.role = 'bot' AND reply.status = 'complete' AND asked.text = :question
""")


@dataclass
class Seen:
    """What became of every request, and when questions were answered."""

    statuses: Counter[int] = field(default_factory=Counter)
    answered_at: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def more_answered_than_refused(self, before: Counter[int]) -> bool:
        """Whether more was answered than refused since there were so many of each."""
        since = self.statuses - before
        return since[200] > since[503]


class Load:
    """Requests at a steady pace, whatever becomes of those before."""

    def __init__(self, http: aiohttp.ClientSession, tenant: TenantRows, seen: Seen) -> None:
        self._http, self._tenant, self._seen = http, tenant, seen
        self._over = asyncio.Event()

    async def run(self) -> None:
        began, number = time.monotonic(), 0
        under_way: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as requests:
            while not self._over.is_set():
                if len(under_way) < _AT_ONCE:
                    under_way.add(request := requests.create_task(self._request(number)))
                    request.add_done_callback(under_way.discard)
                number += 1
                await asyncio.sleep(max(0.0, began + number / _A_SECOND - time.monotonic()))

    def end(self) -> None:
        self._over.set()

    async def _request(self, number: int) -> None:
        token, _ = issue_embed_token(
            TEST_KEYS, tenant_id=self._tenant.id, brand_id=self._tenant.brand_id, visitor={"id": f"v{number}"},
            origin=None,
        )  # fmt: skip
        headers = {"Authorization": f"Bearer {token}"}
        asks = number % _ASKS == 0
        method, path = ("POST", "/v1/chat") if asks else ("GET", "/v1/conversations")
        body = {"message": _QUESTION} if asks else None
        try:
            async with self._http.request(method, path, json=body, headers=headers) as answer:
                self._note(answer, await answer.json(), asks=asks)
        except (aiohttp.ClientError, TimeoutError) as error:
            self._seen.wrong.append(f"{method} {path}: {error!r}")

    def _note(self, answer: aiohttp.ClientResponse, body: dict[str, str], *, asks: bool) -> None:
        self._seen.statuses[answer.status] += 1
        if answer.status == 200 and asks:
            self._seen.answered_at.append(time.monotonic())
            self._seen.acknowledged.append(body["message_id"])
        elif answer.status != 200 and (answer.status != 503 or "Retry-After" not in answer.headers):
            self._seen.wrong.append(f"{answer.status}: {body}")


@pytest.fixture
def server(data_dir: Path) -> Iterator[BundledPostgres]:
    """A PostgreSQL of the test's own: it is restarted."""
    found = BundledPostgres(data_dir)
    found.start()
    create_bundled_database(found.url)
    prepare_database(found.url)
    yield found
    found.stop()


@asynccontextmanager
async def _running(server: BundledPostgres, settings: Settings, data_dir: Path) -> AsyncIterator[list[Member]]:
    ports = {
        "orchestrator": "ORCHESTRATOR_PORT", "gateway": "GATEWAY_PORT", "ingestion-worker": "INGEST_METRICS_PORT",
        "automation-worker": "AUTOMATION_METRICS_PORT",
    }  # fmt: skip
    limits = {"DATABASE_POOL_SIZE": "8", "CHAT_LIMIT_ADDRESS": "1000000"}
    shared = shared_variables(server.url, settings, data_dir) | limits
    members = []
    for process, setting in ports.items():
        port = free_port()
        variables = {**shared, setting: str(port), "GATEWAY_METRICS_PORT": str(free_port())}
        members.append(Member(process, port, variables, data_dir / f"{process}.log"))
    try:
        await asyncio.gather(*(member.start() for member in members))
        yield members
    finally:
        await asyncio.gather(*(member.stop() for member in members))


async def _restart(server: BundledPostgres, mode: str) -> float:
    """Restart PostgreSQL; return when it was up again."""
    arguments = ("restart", "-D", str(server.pgdata), "-m", mode, "-w", "-l", str(server.log_file))
    await asyncio.to_thread(server._run, "pg_ctl", *arguments, account=_server_account(server.root))
    return time.monotonic()


async def test_processes_go_on_by_themselves(
    server: BundledPostgres, settings: Settings, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Database(server.url, pool_size=2) as database:
        tenant = await make_tenant(database)
        await add_knowledge(database, tenant, DOCUMENTS)
    seen = Seen()
    async with _running(server, settings, data_dir) as members:
        orchestrator = members[0]
        connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=120)
        async with aiohttp.ClientSession(orchestrator.url, connector=connector, timeout=timeout) as http:
            load = Load(http, tenant, seen)
            running = asyncio.create_task(load.run())
            await asyncio.sleep(3)
            up = []
            for mode in _RESTARTS:
                before = seen.statuses.copy()
                up.append(await _restart(server, mode))
                await asyncio.sleep(_BETWEEN)
                async with asyncio.timeout(_BACK_WITHIN):
                    while not seen.more_answered_than_refused(before):  # noqa: ASYNC110 - a counter
                        await asyncio.sleep(0.1)
            load.end()
            await running
            await _ready(members)
            assert await _is_read(http, tenant) == "ready", "the queue's worker went on too"
        assert not [
            member.log[-500:] for member in members if member._running and member._running.returncode is not None
        ]
    back = [min((at - moment for at in seen.answered_at if at >= moment), default=float("inf")) for moment in up]
    with capsys.disabled():
        print(f"\nstatuses {dict(seen.statuses)}, {len(seen.acknowledged)} answers, "
              f"back after {max(back):.1f} s at most")  # fmt: skip
    assert seen.wrong == [], _faults(members)
    assert max(back) <= _BACK_WITHIN
    assert seen.statuses[200] > seen.statuses[503]
    async with Database(server.url, pool_size=1) as database, database.platform() as session:
        asked = {"ids": seen.acknowledged, "question": _QUESTION}
        assert (await session.execute(_KEPT, asked)).scalar_one() == len(seen.acknowledged) > 0


def _faults(members: list[Member]) -> str:
    """What the processes wrote of faults of ours; the queue's library calls a lost connection one, too."""
    lines = (line for member in members for line in member.log.splitlines())
    return "\n".join(line for line in lines if '"level": "error"' in line and '"logger": "chatbot.' in line)


async def _ready(members: list[Member]) -> None:
    async with asyncio.timeout(_BACK_WITHIN), aiohttp.ClientSession() as http:
        for member in members:
            while not await member._ready(http):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)


async def _is_read(http: aiohttp.ClientSession, tenant: TenantRows) -> str:
    """Give the platform something to read; return what became of it."""
    path = f"/v1/brands/{tenant.brand_id}/knowledge"
    body = {"title": "After it all", "content": "The valve of the pump is blue."}
    async with http.post(path, json=body, headers=bearer()) as answer:
        assert answer.status == 202, await answer.text()
        source = (await answer.json())["source_id"]
    async with asyncio.timeout(120):
        while True:
            async with http.get(f"{path}/{source}", headers=bearer()) as answer:
                status = str((await answer.json())["status"])
            if status in ("ready", "failed"):
                return status
            await asyncio.sleep(0.3)
