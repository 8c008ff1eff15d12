"""The load: conversations in a closed loop against a streaming chat endpoint, in a process of its own.

Run with `python -m bench.load --url … --token … --questions FILE --conversations N --seconds S`; prints JSON.
"""

import argparse
import asyncio
import json
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

_TURNS = 4
"""Turns of a conversation before the visitor begins another."""

_ARRIVAL = 0.15
"""The part of the time in which the visitors arrive."""

_BUFFER = 65536


@dataclass(slots=True)
class Tally:
    """What was seen: milliseconds to the first token and to the end of each turn, the modes of the answers."""

    first_ms: list[float] = field(default_factory=list)
    whole_ms: list[float] = field(default_factory=list)
    modes: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    last_end: float = 0.0


class Visitors:
    """Ask questions one after the other, in several conversations at once."""

    def __init__(self, http: aiohttp.ClientSession, url: str, questions: list[str], seconds: float) -> None:
        self.tally = Tally()
        self._http = http
        self._url = url
        self._questions = questions
        self._turn = count()
        self._until = time.perf_counter() + seconds

    async def converse(self, wait: float) -> None:
        """Talk until the time is over, after a wait; a turn that was begun is waited for."""
        await asyncio.sleep(wait)
        while time.perf_counter() < self._until:
            conversation: str | None = None
            for _ in range(_TURNS):
                if time.perf_counter() >= self._until:
                    return
                conversation = await self._ask(conversation)

    async def _ask(self, conversation: str | None) -> str | None:
        question = self._questions[next(self._turn) % len(self._questions)]
        body = {"message": question, "client_message_id": str(uuid.uuid4())}
        if conversation:
            body["conversation_id"] = conversation
        begun = time.perf_counter()
        async with self._http.post(self._url, json=body) as answer:
            if answer.status != 200:
                self.tally.failures[f"{answer.status}: {(await answer.text())[:200]}"] += 1
                await asyncio.sleep(0.05)
                return None
            first, received = 0.0, b""
            async for piece in answer.content.iter_any():
                received += piece
                if not first and b"event: delta" in received:
                    first = time.perf_counter()
        return self._noted(begun, first, received)

    def _noted(self, begun: float, first: float, received: bytes) -> str | None:
        done = _event(received, b"done")
        if done is None or not first:
            self.tally.failures[f"no whole answer: {received[-200:].decode(errors='replace')}"] += 1
            return None
        self.tally.last_end = time.perf_counter()
        self.tally.first_ms.append((first - begun) * 1000)
        self.tally.whole_ms.append((self.tally.last_end - begun) * 1000)
        self.tally.modes[done["mode"]] += 1
        return str(done["conversation_id"])


def _event(received: bytes, name: bytes) -> dict[str, Any] | None:
    """Return the data of the last event of a name."""
    _, found, rest = received.rpartition(b"event: " + name)
    if not found:
        return None
    data = rest.split(b"data: ", 1)[1].split(b"\n", 1)[0]
    parsed: dict[str, Any] = json.loads(data)
    return parsed


async def run(arguments: argparse.Namespace, questions: list[str]) -> dict[str, Any]:
    """Put the load on and return what was seen."""
    headers = {"Authorization": f"Bearer {arguments.token}"}
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(
        headers=headers, connector=connector, timeout=timeout, read_bufsize=_BUFFER
    ) as http:
        begun = time.perf_counter()
        visitors = Visitors(http, arguments.url, questions, arguments.seconds)
        # Visitors come one by one: all at the same moment would measure that moment.
        step = arguments.seconds * _ARRIVAL / arguments.conversations
        await asyncio.gather(*(visitors.converse(place * step) for place in range(arguments.conversations)))
    tally = visitors.tally
    return {
        "turns": len(tally.whole_ms),
        "seconds": max(tally.last_end - begun, 1e-9),
        "first_ms": tally.first_ms,
        "whole_ms": tally.whole_ms,
        "modes": tally.modes,
        "failures": tally.failures,
    }


def main() -> None:
    """Run and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--questions", required=True, help="a file with a JSON list of texts")
    parser.add_argument("--conversations", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    arguments = parser.parse_args()
    questions = json.loads(Path(arguments.questions).read_text())
    print(json.dumps(uvloop.run(run(arguments, questions))))


if __name__ == "__main__":
    main()
