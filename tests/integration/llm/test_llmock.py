"""Against llmock, an independent model server that fails at random."""

import asyncio
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from chatbot.core.ids import new_id
from chatbot.llm.breaker import BreakerPolicy, Breakers, CircuitState
from chatbot.llm.budgets import Ledger
from chatbot.llm.client import Endpoint, ModelClient, TimeLimits
from chatbot.llm.embeddings import OpenAIEmbeddings
from chatbot.llm.errors import AnswerCut, ModelUnavailable
from chatbot.llm.retry import RetryPolicy
from chatbot.llm.schemas import ChatRequest
from chatbot.llm.service import ModelGateway
from tests.ports import free_port

LENIENT = BreakerPolicy(failure_rate=1.0, consecutive=10_000)
FAST = RetryPolicy(first_delay=0.01, longest_delay=0.05, longest_wait=2.0, patience=600)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    """llmock: a tenth of the calls refused, two tenths of the streams broken in each way."""
    port = free_port()
    rates = ["--error-rate", "500=0.1", "--error-rate", "429=0.03"]
    faults = ["--stream-fault", "truncate=0.1", "--stream-fault", "disconnect=0.05", "--stream-fault", "malformed=0.05"]
    command = [Path(sys.executable).with_name("llmock"), "serve", "--port", str(port), "--log-level", "warning"]
    with subprocess.Popen([*command, *rates, *faults], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(port)
            yield Endpoint(f"http://127.0.0.1:{port}/v1")
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    for _ in range(1200):
        with closing(socket.socket()) as probe:
            probe.settimeout(0.1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("llmock did not start")


async def test_a_hundred_and_fifty_turns_each_end_once(endpoint: Endpoint, request_: ChatRequest) -> None:
    async with ModelClient(endpoint, limits=TimeLimits(connect=60, first_token=60, idle=60, tail=60)) as client:
        gateway = ModelGateway(client, model="gpt-4o", retries=FAST, breakers=Breakers(LENIENT))
        ends: Counter[str] = Counter()
        places = asyncio.Semaphore(16)
        tenant = new_id()

        async def turn() -> None:
            ledger = Ledger(tenant)
            async with places:
                try:
                    result = await gateway.complete(request_, ledger)
                except (AnswerCut, ModelUnavailable) as error:
                    ends[type(error).__name__] += 1
                else:
                    ends["whole"] += 1
                    assert result.text
                    assert not result.usage.estimated
            assert 1 <= len(ledger.calls) <= 4

        await asyncio.gather(*(turn() for _ in range(150)))
    assert sum(ends.values()) == 150
    assert ends["whole"] > 80
    assert ends["AnswerCut"] > 5
    assert ends["ModelUnavailable"] < 10


async def test_the_breaker_opens_at_such_a_rate(endpoint: Endpoint, request_: ChatRequest) -> None:
    async with ModelClient(endpoint) as client:
        gateway = ModelGateway(client, model="gpt-4o", retries=FAST)
        for _ in range(100):
            with suppress(AnswerCut, ModelUnavailable):
                await gateway.complete(request_, Ledger(new_id()))
            if gateway.circuit_state is CircuitState.OPEN:
                break
        assert gateway.circuit_state is CircuitState.OPEN


async def test_embeddings(endpoint: Endpoint) -> None:
    async with ModelClient(endpoint) as client:
        embeddings = OpenAIEmbeddings(client, "text-embedding-3-small", breakers=Breakers(LENIENT), retries=FAST)
        assert await embeddings.dimension() == 1536
        assert len(await embeddings(["text"] * 300)) == 300
