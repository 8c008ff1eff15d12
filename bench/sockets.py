"""Idle sockets on one gateway process, beside a bare server with the same client in the same run.

Run with `python -m bench.sockets [--sockets 10000] [--minutes 5]`. Half of the sockets are in a conversation, each in
its own; the others have only said hello.
"""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg

from bench.report import machine, machine_line, table, write
from bench.servers import Server, end_cleanly, free_port
from chatbot.core.ids import new_id
from chatbot.db.server import BundledPostgres
from chatbot.identity import tokens

_CLIENTS = 4
_SPARE_FILES = 500
_MESSAGES = 200
_PACE_SECONDS = 0.02
_TABS = 100
_AIM_MB = 350
_KEYS = tokens.TokenKeys(admin="a" * 32, embed="e" * 32)

_FIRST_ROWS = """
INSERT INTO tenants (id, name, default_brand_id) VALUES (%(tenant)s, 'Bench', %(brand)s);
INSERT INTO brands (tenant_id, id, name) VALUES (%(tenant)s, %(brand)s, 'Bench');
INSERT INTO channels (tenant_id, id, brand_id, channel_type, display_name)
VALUES (%(tenant)s, %(channel)s, %(brand)s, 'web', 'Web');
"""
_CONVERSATION = """
INSERT INTO conversations (tenant_id, id, brand_id, channel_id, session_key, visitor)
VALUES (%s, %s, %s, %s, %s, jsonb_build_object('subject', 'visitor:bench'))
"""
_MESSAGE = """
WITH numbered AS (
    UPDATE conversations SET last_seq = last_seq + 1 WHERE id = %(conversation)s
    RETURNING tenant_id, id, channel_id, last_seq
), stored AS (
    INSERT INTO messages (tenant_id, id, conversation_id, channel_id, seq, role, text, completed_at)
    SELECT tenant_id, %(id)s, id, channel_id, last_seq, 'agent', 'A message of a usual length.', now() FROM numbered
)
SELECT pg_notify('xin_message', CAST(id AS text)) FROM numbered
"""


@dataclass(frozen=True, slots=True)
class Fanout:
    """Milliseconds from commit to frame."""

    frames: int
    expected: int
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What one server did."""

    sockets: int
    empty_mb: float
    full_mb: float
    end_mb: float
    accepted_per_second: float
    idle_cpu_seconds: float
    dropped: int

    @property
    def kb_a_socket(self) -> float:
        """Memory that each socket added."""
        return (self.full_mb - self.empty_mb) * 1024 / self.sockets


class Clients:
    """Client processes, each with its part of the sockets."""

    def __init__(self, processes: Sequence[asyncio.subprocess.Process]) -> None:
        self._processes = processes

    async def connect(self, url: str, hellos: Sequence[str]) -> None:
        """Open a socket for each hello; returns when all are ready."""
        for place, process in enumerate(self._processes):
            await _send(process, json.dumps({"url": url, "hellos": hellos[place :: len(self._processes)]}))
        answers = [await _answer(process) for process in self._processes]
        if sum(answer["open"] for answer in answers) != len(hellos):
            raise SystemExit("some sockets were closed while others connected")

    async def report(self) -> tuple[int, list[tuple[str, float]]]:
        """Return how many sockets were dropped, and message id and time of every message frame."""
        for process in self._processes:
            await _send(process, "")
        answers = [await _answer(process) for process in self._processes]
        return sum(answer["dropped"] for answer in answers), [one for each in answers for one in each["received"]]


@asynccontextmanager
async def clients() -> AsyncIterator[Clients]:
    """Run the client processes."""
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.socket_client", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, limit=2**28,
        )
        for _ in range(_CLIENTS)
    ]  # fmt: skip
    try:
        yield Clients(started)
    finally:
        for process in started:
            if process.returncode is None:
                process.kill()
            await process.wait()


class Tenant:
    """A tenant whose conversations the sockets are in, written past the API: only the gateway is measured."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self.id, self.brand, self.channel = new_id(), new_id(), new_id()
        self.conversations: list[UUID] = []

    def make(self, conversations: int) -> None:
        """Insert the tenant and its conversations."""
        with psycopg.connect(self._url) as connection:
            names = {"tenant": self.id, "brand": self.brand, "channel": self.channel}
            for statement in _FIRST_ROWS.strip().split(";\n"):
                connection.execute(statement.encode(), names)
            self.conversations = [new_id() for _ in range(conversations)]
            rows = [(self.id, one, self.brand, self.channel, str(one)) for one in self.conversations]
            connection.cursor().executemany(_CONVERSATION, rows)

    def hello(self, conversation: UUID | None) -> str:
        """The first frame of a visitor's page."""
        token, _ = tokens.issue_embed_token(
            _KEYS, tenant_id=self.id, brand_id=self.brand, visitor={"id": "bench"}, origin=None
        )
        return json.dumps(
            {"type": "hello", "token": token, "conversation_id": str(conversation) if conversation else None}
        )

    async def say(self, conversations: Sequence[UUID]) -> dict[str, float]:
        """Store a message in each, one after the other at a steady pace; return when each was committed."""
        stored = {}
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            for conversation in conversations:
                message = new_id()
                await connection.execute(_MESSAGE, {"conversation": conversation, "id": message})
                stored[str(message)] = time.monotonic()
                await asyncio.sleep(_PACE_SECONDS)
        return stored


async def idle(server: Server, url: str, hellos: Sequence[str], seconds: float, group: Clients) -> Measured:
    """Open the sockets, leave them alone, and see what that costs."""
    process = psutil.Process(server.pid)
    empty = _mb(process)
    begun = time.perf_counter()
    await group.connect(url, hellos)
    took = time.perf_counter() - begun
    full, cpu = _mb(process), _cpu(process)
    await asyncio.sleep(seconds)
    return Measured(len(hellos), empty, full, _mb(process), len(hellos) / took, _cpu(process) - cpu, 0)


async def bare(folder: Path, sockets: int, seconds: float) -> Measured:
    """Measure the bare server."""
    port = free_port()
    with Server(("bench.bare_sockets", "--port", str(port)), port=port, log=folder / "bare.log") as server:
        async with clients() as group:
            measured = await idle(server, f"ws://127.0.0.1:{port}/", ["{}"] * sockets, seconds, group)
            dropped, _ = await group.report()
            return _with_drops(measured, dropped)


async def gateway(folder: Path, sockets: int, seconds: float) -> tuple[Measured, Fanout, Fanout]:
    """Measure the gateway, then how fast messages reach its sockets while all are open."""
    port = free_port()
    postgres = BundledPostgres(folder / "xin")
    settings = {
        "XIN_DATA_DIR": str(postgres.root), "GATEWAY_PORT": str(port), "GATEWAY_METRICS_PORT": str(free_port()),
        "ADMIN_JWT_SECRET": _KEYS.admin, "EMBED_JWT_SECRET": _KEYS.embed, "LOG_LEVEL": "WARNING",
        "SOCKET_LIMIT_ADDRESS": str(sockets + _TABS), "SOCKET_LIMIT_TENANT": str(sockets + _TABS),
    }  # fmt: skip
    server = Server(
        ("chatbot", "gateway"), port=port, log=folder / "gateway.log", settings=settings, ready="/health/ready"
    )
    with server:
        tenant = Tenant(postgres.url)
        tenant.make(sockets // 2 + 1)
        *own, shared = tenant.conversations
        hellos = [tenant.hello(one) for one in own] + [tenant.hello(None)] * (sockets - len(own))
        url = f"ws://127.0.0.1:{port}/ws"
        async with clients() as group, clients() as tabs:
            measured = await idle(server, url, hellos, seconds, group)
            await tabs.connect(url, [tenant.hello(shared)] * _TABS)
            apart = await tenant.say(own[:: max(1, len(own) // _MESSAGES)])
            together = await tenant.say([shared] * (_MESSAGES // 4))
            await asyncio.sleep(2)
            dropped, received = await group.report()
            tabs_dropped, tabs_received = await tabs.report()
    measured = _with_drops(measured, dropped + tabs_dropped)
    return measured, _fanout(apart, received, 1), _fanout(together, tabs_received, _TABS)


def main() -> None:
    """Measure both servers and write the section."""
    parser = argparse.ArgumentParser(prog="python -m bench.sockets", description=__doc__)
    parser.add_argument("--sockets", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=5.0)
    arguments = parser.parse_args()
    _raise_file_limit(arguments.sockets + _SPARE_FILES)
    end_cleanly()
    described = machine()
    with tempfile.TemporaryDirectory(prefix="xin-sockets-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the bundled PostgreSQL may run as another user
        asyncio.run(_measure(Path(folder), described, arguments.sockets, arguments.minutes * 60))


async def _measure(folder: Path, described: dict[str, Any], sockets: int, seconds: float) -> None:
    floor = await bare(folder, sockets, seconds)
    print(f"bare: {floor}")
    ours, apart, together = await gateway(folder, sockets, seconds)
    print(f"gateway: {ours}\none page each: {apart}\n{_TABS} pages: {together}")
    figures = {
        "machine": described, "seconds": seconds, "bare": asdict(floor), "gateway": asdict(ours),
        "fan_out_one_page_each": asdict(apart), "fan_out_one_conversation": asdict(together),
    }  # fmt: skip
    write("sockets", _section(described, seconds, floor, ours, apart, together), figures)


def _section(
    described: dict[str, Any], seconds: float, floor: Measured, ours: Measured, apart: Fanout, together: Fanout
) -> str:
    def row(what: str, name: str, form: str = "{:.0f}") -> list[str]:
        return [what, form.format(getattr(ours, name)), form.format(getattr(floor, name))]

    rows = [
        row("dropped", "dropped"),
        row("memory before, MB (RSS)", "empty_mb"),
        row("memory with all sockets, MB", "full_mb"),
        row(f"memory {seconds:.0f} s later, MB", "end_mb"),
        row("kB a socket", "kb_a_socket", "{:.1f}"),
        row("accepted and greeted a second", "accepted_per_second"),
        row(f"CPU seconds in {seconds:.0f} s of silence", "idle_cpu_seconds", "{:.1f}"),
    ]
    aim = f"Aim at 10,000 sockets: 0 dropped, at most {_AIM_MB} MB."
    fan = [
        ["each to the one page of its conversation", *_cells(apart)],
        [f"each to the {_TABS} pages of one conversation", *_cells(together)],
    ]
    return "\n\n".join(
        [
            machine_line(described),
            f"{ours.sockets:,} sockets, half of them in a conversation of their own. {aim}",
            table(["", "gateway", "bare server"], rows),
            "From the commit of a message to the frame at the client, with all sockets open:",
            table(["messages", "frames", "p50 ms", "p95 ms"], fan),
        ]
    )


def _cells(fanout: Fanout) -> list[str]:
    return [f"{fanout.frames:,} of {fanout.expected:,}", f"{fanout.p50:.1f}", f"{fanout.p95:.1f}"]


def _fanout(stored: dict[str, float], received: Sequence[tuple[str, float]], pages: int) -> Fanout:
    took = sorted((at - stored[message]) * 1000 for message, at in received if message in stored)
    if not took:
        raise SystemExit("no message reached a client")
    return Fanout(len(took), len(stored) * pages, took[len(took) // 2], took[int(len(took) * 0.95)])


def _with_drops(measured: Measured, dropped: int) -> Measured:
    return Measured(**{**asdict(measured), "dropped": dropped})


async def _send(process: asyncio.subprocess.Process, line: str) -> None:
    assert process.stdin
    process.stdin.write(line.encode() + b"\n")
    await process.stdin.drain()


async def _answer(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout
    line = await process.stdout.readline()
    if not line:
        raise SystemExit("a client process ended: some sockets were refused or took too long")
    answer: dict[str, Any] = json.loads(line)
    return answer


def _raise_file_limit(needed: int) -> None:
    """Let this process, and those it starts, hold a file for each socket."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SystemExit(f"{needed} open files are needed, the system allows {hard} (ulimit -Hn)")
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 2**20


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
