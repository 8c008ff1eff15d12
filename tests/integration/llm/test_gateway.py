"""Retries, fallback, breaker and budget over real HTTP: one terminal outcome whatever happens."""

import asyncio
import time
from datetime import timedelta
from email.utils import format_datetime

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.core.metrics import tenant_label
from chatbot.core.settings import Settings
from chatbot.llm.breaker import BreakerPolicy, Breakers, CircuitState
from chatbot.llm.budgets import Budget, Ledger, Spent
from chatbot.llm.client import Endpoint, ModelClient
from chatbot.llm.errors import AnswerCut, BudgetSpent, ModelUnavailable, NoModelAnswer, StreamCut
from chatbot.llm.schemas import ChatRequest, Outcome, Usage
from chatbot.llm.service import ModelGateway
from tests.integration.llm.conftest import FAST, LIMITS
from tests.integration.llm.model_server import (
    STREAM_HEAD,
    WORDS,
    Call,
    ModelServer,
    Script,
    answers,
    delta,
    event,
    hangs_up,
    paced,
    refuses,
    silent,
    whole,
)

TEXT = "".join(WORDS)


async def ask(gateway: ModelGateway, request: ChatRequest, ledger: Ledger) -> str:
    """Read an answer to its end."""
    async with gateway.stream(request, ledger) as answer:
        text = "".join([delta.text async for delta in answer])
    assert answer.result.text == text
    return text


def by_model(**scripts: Script) -> Script:
    """Answer by the model's name."""

    async def script(call: Call) -> None:
        await scripts[call.body["model"]](call)

    return script


def outcomes(ledger: Ledger) -> list[str]:
    return [call.outcome.value for call in ledger.calls]


def models(server: ModelServer) -> list[str]:
    return [call.body["model"] for call in server.calls]


async def test_a_good_answer_is_booked(
    server: ModelServer, gateway: ModelGateway, request_: ChatRequest, ledger: Ledger
) -> None:
    server.then(answers())
    before = REGISTRY.get_sample_value("llm_requests_total", {"purpose": "answer", "outcome": "completed"}) or 0
    async with gateway.stream(request_, ledger) as answer:
        with pytest.raises(LookupError):
            _ = answer.result
        pieces = [delta.text async for delta in answer]
    assert "".join(pieces) == answer.result.text == TEXT
    assert (answer.result.model, answer.result.finish_reason, answer.result.usage) == ("first", "stop", Usage(11, 5))
    (call,) = ledger.calls
    assert (call.outcome, call.usage, call.cost_micros) == (Outcome.COMPLETED, Usage(11, 5), 21)
    assert ledger.spent == Spent(16, 21)
    tenant = tenant_label(ledger.tenant_id)
    assert REGISTRY.get_sample_value("llm_tokens_total", {"tenant": tenant, "direction": "input"}) >= 11
    assert REGISTRY.get_sample_value("llm_cost_usd_total", {"tenant": tenant}) >= 21e-6
    after = REGISTRY.get_sample_value("llm_requests_total", {"purpose": "answer", "outcome": "completed"})
    assert after == before + 1


@pytest.mark.parametrize(
    "fault",
    [refuses(500), refuses(503), refuses(429), hangs_up, answers(b""), answers(b"data: {no\n\n"),
     answers(event({"error": {"type": "overloaded"}}))],
)  # fmt: skip
async def test_a_passing_fault_is_tried_again(
    server: ModelServer, gateway: ModelGateway, request_: ChatRequest, ledger: Ledger, fault: Script
) -> None:
    server.then(fault, fault, answers())
    assert await ask(gateway, request_, ledger) == TEXT
    assert models(server) == ["first"] * 3
    assert outcomes(ledger)[-1] == "completed"
    assert len(ledger.calls) == 3


async def test_four_tries_in_all_and_the_last_is_the_fallbacks(
    server: ModelServer, gateway: ModelGateway, request_: ChatRequest, ledger: Ledger
) -> None:
    server.then(refuses(500))
    with pytest.raises(ModelUnavailable, match="500"):
        await ask(gateway, request_, ledger)
    assert models(server) == ["first", "first", "first", "second"]
    assert outcomes(ledger) == ["failed"] * 4
    assert ledger.spent == Spent()


async def test_without_a_fallback_the_model_gets_all_four(
    server: ModelServer, client: ModelClient, request_: ChatRequest, ledger: Ledger
) -> None:
    server.then(refuses(500))
    with pytest.raises(ModelUnavailable):
        await ask(ModelGateway(client, model="only", retries=FAST), request_, ledger)
    assert models(server) == ["only"] * 4


async def test_the_fallback_answers(
    server: ModelServer, gateway: ModelGateway, request_: ChatRequest, ledger: Ledger
) -> None:
    server.then(by_model(first=refuses(500), second=answers()))
    assert await ask(gateway, request_, ledger) == TEXT
    assert ledger.calls[-1].model == "second"


async def test_the_tenants_fallback_comes_before_the_operators(
    server: ModelServer, gateway: ModelGateway, request_: ChatRequest, ledger: Ledger
) -> None:
    server.then(by_model(first=refuses(404), tenants=answers()))
    async with gateway.stream(request_, ledger, fallback_model="tenants") as answer:
        assert "".join([delta.text async for delta in answer]) == TEXT
    assert models(server) == ["first", "tenants"]


@pytest.mark.parametrize("head", [b"", STREAM_HEAD])
async def test_a_silent_model_is_not_asked_twice(
    server: ModelServer, gateway: ModelGateway, request_: ChatRequest, ledger: Ledger, head: bytes
) -> None:
    server.then(by_model(first=silent(head, seconds=LIMITS.first_token), second=answers()))
    begun = time.monotonic()
    assert await ask(gateway, request_, ledger) == TEXT
    assert time.monotonic() - begun < LIMITS.first_token
    assert outcomes(ledger) == ["silent", "completed"]


async def test_a_refused_key_is_not_tried_again_anywhere(
    server: ModelServer, gateway: ModelGateway, request_: ChatRequest, ledger: Ledger
) -> None:
    server.then(refuses(401, {"error": {"message": "Incorrect API key provided: sk-live-canary"}}))
    with capture_logs() as logs, pytest.raises(ModelUnavailable, match="OPENAI_API_KEY"):
        await ask(gateway, request_, ledger)
    assert len(server.calls) == 1
    assert outcomes(ledger) == ["misconfigured"]
    (line,) = [entry for entry in logs if entry["event"] == "model call failed"]
    assert line["log_level"] == "error"
    assert "OPENAI_API_KEY" in line["reason"]
    assert "canary" not in str(logs)
    assert "سلام" not in str(logs)


async def test_a_bad_request_goes_to_the_fallback_and_blames_nobody(
    server: ModelServer, gateway: ModelGateway, request_: ChatRequest, ledger: Ledger
) -> None:
    server.then(refuses(400))
    for _ in range(6):
        with pytest.raises(ModelUnavailable):
            await ask(gateway, request_, ledger)
    assert len(server.calls) == 12
    assert gateway.circuit_state is CircuitState.CLOSED


async def test_retry_after_is_waited_for(
    server: ModelServer, gateway: ModelGateway, request_: ChatRequest, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.then(refuses(429, retry_after_ms="300"), answers())
    waits: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        waits.append(seconds)
        await sleep(seconds)

    monkeypatch.setattr(asyncio, "sleep", noted)
    begun = time.monotonic()
    assert await ask(gateway, request_, ledger) == TEXT
    assert time.monotonic() - begun >= 0.3
    assert max(waits) < 0.4, "and not longer"
    assert models(server) == ["first", "first"]


@pytest.mark.parametrize("form", ["50", "date"])
async def test_a_long_retry_after_goes_to_the_fallback_at_once_and_keeps_others_away(
    server: ModelServer, gateway: ModelGateway, request_: ChatRequest, ledger: Ledger, form: str
) -> None:
    value = format_datetime(utcnow() + timedelta(seconds=50), usegmt=True) if form == "date" else form
    server.then(by_model(first=refuses(429, retry_after=value), second=answers()))
    begun = time.monotonic()
    for _ in range(3):
        assert await ask(gateway, request_, ledger) == TEXT
    assert time.monotonic() - begun < 40
    assert models(server) == ["first", "second", "second", "second"]
    assert gateway.circuit_state is CircuitState.CLOSED


async def test_a_cut_after_the_first_delta_is_not_begun_again(
    server: ModelServer, gateway: ModelGateway, request_: ChatRequest, ledger: Ledger
) -> None:
    server.then(paced([delta("Hello"), delta(" dear")], 0.02))
    got = []
    with pytest.raises(AnswerCut) as caught:
        async with gateway.stream(request_, ledger) as answer:
            async for piece in answer:
                got.append(piece.text)
    assert "".join(got) == "Hello dear"
    assert isinstance(caught.value.__cause__, StreamCut)
    assert len(server.calls) == 1
    (call,) = ledger.calls
    assert call.outcome is Outcome.CUT
    assert call.usage.estimated
    assert call.usage.input_tokens == request_.estimated_input_tokens()
    assert call.usage.output_tokens == 3


async def test_a_stream_cut_at_any_byte_has_one_end(
    server: ModelServer, client: ModelClient, request_: ChatRequest
) -> None:
    body = whole()
    for at in range(0, len(body), 17):
        gateway = ModelGateway(client, model="only", retries=FAST)
        ledger = Ledger(new_id())
        server.then(answers(body[:at]))
        ends = []
        try:
            async with gateway.stream(request_, ledger) as answer:
                async for _ in answer:
                    pass
            ends.append(answer.result.finish_reason)
        except (NoModelAnswer, AnswerCut) as error:
            ends.append(type(error).__name__)
        assert len(ends) == 1
        assert len(server.calls) <= 4
        assert len(ledger.calls) == len(server.calls)


@pytest.mark.parametrize("way", ["break", "cancel", "error"])
async def test_the_client_leaves_in_the_middle(
    server: ModelServer, gateway: ModelGateway, request_: ChatRequest, ledger: Ledger, way: str
) -> None:
    server.then(paced([delta("word ")] * 1000, 0.1))
    first = asyncio.Event()

    async def turn() -> None:
        async with gateway.stream(request_, ledger) as answer:
            async for _ in answer:
                first.set()
                if way == "break":
                    break
                if way == "error":
                    raise ConnectionResetError

    task = asyncio.create_task(turn())
    await first.wait()
    if way == "cancel":
        task.cancel()
    async with asyncio.timeout(30):  # the stream goes on for 100 s
        await asyncio.wait({task})
        await server.calls[0].gone.wait()
    (call,) = ledger.calls
    assert call.outcome is Outcome.CANCELLED
    assert call.usage.estimated
    assert call.usage.output_tokens >= 1
    assert call.cost_micros > 0


async def test_cancelled_while_waiting_for_the_first_token(
    server: ModelServer, gateway: ModelGateway, request_: ChatRequest, ledger: Ledger
) -> None:
    server.then(silent())
    task = asyncio.create_task(ask(gateway, request_, ledger))
    while not server.calls:  # noqa: ASYNC110 - a plain list
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(server.calls[0].gone.wait(), 30)
    assert outcomes(ledger) == ["cancelled"]
    assert ledger.spent == Spent()


async def test_the_breaker_opens_answers_nothing_and_comes_back(
    server: ModelServer, client: ModelClient, request_: ChatRequest, ledger: Ledger
) -> None:
    now = 1000.0
    breakers = Breakers(BreakerPolicy(open_seconds=30), clock=lambda: now)
    gateway = ModelGateway(client, model="only", retries=FAST, breakers=breakers)
    server.then(refuses(500))
    for _ in range(2):
        with pytest.raises(ModelUnavailable):
            await ask(gateway, request_, ledger)
    assert gateway.circuit_state is CircuitState.OPEN
    assert len(server.calls) == 5
    begun = time.monotonic()
    with pytest.raises(ModelUnavailable, match="circuit is open"):
        await ask(gateway, request_, ledger)
    assert time.monotonic() - begun < 20
    assert len(server.calls) == 5
    server.then(answers())
    now += 30
    assert gateway.circuit_state is CircuitState.HALF_OPEN
    for _ in range(2):
        assert await ask(gateway, request_, ledger) == TEXT
    assert gateway.circuit_state is CircuitState.CLOSED


async def test_a_spent_budget_sends_nothing(server: ModelServer, gateway: ModelGateway, request_: ChatRequest) -> None:
    server.then(answers())
    ledger = Ledger(new_id(), Budget(tokens_per_day=29), Spent(0, 0))
    assert (await gateway.complete(request_, ledger)).text == TEXT
    with pytest.raises(BudgetSpent, match="16 of 29"):
        await gateway.complete(request_, ledger)
    assert len(server.calls) == 1
    assert outcomes(ledger) == ["completed"]


async def test_many_streams_at_once(server: ModelServer, request_: ChatRequest, ledger: Ledger) -> None:
    server.then(paced([*map(delta, WORDS), whole(())], 0.005))
    async with ModelClient(Endpoint(server.base_url), limits=LIMITS) as patient:
        gateway = ModelGateway(patient, model="first")
        texts = await asyncio.gather(*(ask(gateway, request_, ledger) for _ in range(100)))
    assert set(texts) == {TEXT}
    assert len(ledger.calls) == 100


async def test_the_operators_gateway(server: ModelServer, request_: ChatRequest, ledger: Ledger) -> None:
    settings = Settings(openai_base_url=server.base_url, openai_model="local", openai_fallback_model="spare")
    gateway = ModelGateway.from_settings(settings)
    server.then(by_model(local=refuses(404), spare=answers()))
    try:
        assert await ask(gateway, request_, ledger) == TEXT
    finally:
        await gateway.close()
    assert ledger.calls[-1].cost_micros == 5  # 11 at 0.15 and 5 at 0.60 dollars a million, rounded up
