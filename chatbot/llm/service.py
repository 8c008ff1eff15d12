"""The door to language models: breaker, retries, fallback, budget and usage around every call.

A turn asks like this, and every way out leaves its calls in the ledger:

    async with gateway.stream(request, ledger, fallback_model=config.fallback_llm) as answer:
        async for delta in answer:
            await relay(delta.text)
    used = answer.result.usage
    record_usage(session, ledger, message_id=reply_id)

`NoModelAnswer` (budget spent, everything tried in vain) means: nothing was delivered, answer from the knowledge.
`AnswerCut` means: some text was delivered and the rest will not come.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp

from chatbot.core.logging import get_logger
from chatbot.core.settings import Settings
from chatbot.core.telemetry import detached_span
from chatbot.llm.breaker import Breakers, CircuitState, Permit
from chatbot.llm.budgets import Ledger, Prices, count_refusal
from chatbot.llm.client import ChatStream, Endpoint, ModelClient
from chatbot.llm.errors import AnswerCut, BudgetSpent, ModelCallFailed, ModelUnavailable
from chatbot.llm.retry import RetryPolicy, Tries, settle
from chatbot.llm.schemas import CallRecord, ChatDelta, ChatRequest, ChatResult, Outcome, Purpose, Usage

log = get_logger(__name__)

_OPENAI_HOST = "api.openai.com"


def available(settings: Settings, *, tenant_smart_mode: bool = True) -> bool:
    """Whether smart mode is on for a tenant at all: wanted, and with a model behind it.

    OpenAI's own endpoint needs a key; another (a local server) may need none.
    """
    key = settings.openai_api_key
    has_key = key is not None and bool(key.get_secret_value().strip())
    has_model = has_key or urlsplit(settings.openai_base_url).hostname != _OPENAI_HOST
    return settings.smart_mode_enabled and tenant_smart_mode and has_model


class ModelGateway:
    """Streams answers of the operator's endpoint. One for a process; its breakers remember.

    Args:
        client: the endpoint's client; closed by whoever made it, or by `close()` here.
        model: the model asked first.
        fallback_model: the model asked when the first does not answer, if any.
        prices: what tokens cost, for all models of the endpoint.
    """

    def __init__(
        self,
        client: ModelClient,
        *,
        model: str,
        fallback_model: str | None = None,
        prices: Prices | None = None,
        retries: RetryPolicy | None = None,
        breakers: Breakers | None = None,
    ) -> None:
        self.client = client
        self.prices = prices or Prices()
        self.retries = retries or RetryPolicy()
        self.breakers = breakers or Breakers()
        self._model = model
        self._fallback = fallback_model

    @classmethod
    def from_settings(cls, settings: Settings, *, session: aiohttp.ClientSession | None = None) -> Self:
        """Build the gateway that the operator configured; nothing is connected yet."""
        endpoint = Endpoint(settings.openai_base_url, settings.openai_api_key)
        prices = Prices(settings.llm_input_price_per_million, settings.llm_output_price_per_million)
        return cls(
            ModelClient(endpoint, session=session),
            model=settings.openai_model,
            fallback_model=settings.openai_fallback_model,
            prices=prices,
        )

    async def close(self) -> None:
        """Close the client's own connections."""
        await self.client.close()

    @property
    def circuit_state(self) -> CircuitState:
        """The breaker's state of the model asked first."""
        return self.breakers.of(self.client.endpoint.base_url, self._model).state

    def stream(self, request: ChatRequest, ledger: Ledger, *, fallback_model: str | None = None) -> "ModelStream":
        """Ask for an answer; use the result with `async with`, then iterate it.

        Args:
            request: the prompt.
            ledger: the turn's ledger: its budget is checked before the call, its calls are entered as they end.
            fallback_model: the tenant's fallback, instead of the operator's.
        """
        if ledger.degraded and ledger.budget.degrade_model:
            return ModelStream(self, request, ledger, [ledger.budget.degrade_model])
        first = request.model or self._model
        models = dict.fromkeys(name for name in (first, fallback_model or self._fallback) if name)
        return ModelStream(self, request, ledger, list(models))

    async def complete(self, request: ChatRequest, ledger: Ledger, *, fallback_model: str | None = None) -> ChatResult:
        """Ask for a short answer (a condensed question, a language) and return it whole.

        Raises:
            NoModelAnswer: budget spent, or nobody answered.
            AnswerCut: the answer broke off.
        """
        async with self.stream(request, ledger, fallback_model=fallback_model) as answer:
            async for _ in answer:
                pass
        return answer.result


class ModelStream:
    """One answer on its way: an async context manager that is iterated once.

    It ends in exactly one way: all deltas and a `result`; `NoModelAnswer` before any delta; `AnswerCut` after some;
    or the block is left early (break, cancellation), which closes the upstream connection at once.
    """

    def __init__(self, gateway: ModelGateway, request: ChatRequest, ledger: Ledger, models: list[str]) -> None:
        self._gateway = gateway
        self._request = request
        self._ledger = ledger
        self._models = models
        self._delivered = False
        self._result: ChatResult | None = None
        self._deltas = self._run()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._deltas.aclose()

    def __aiter__(self) -> AsyncGenerator[ChatDelta]:
        return self._deltas

    @property
    def result(self) -> ChatResult:
        """The finished answer.

        Raises:
            LookupError: the stream has not come to its end.
        """
        if self._result is None:
            raise LookupError("the answer is not finished")
        return self._result

    async def _run(self) -> AsyncGenerator[ChatDelta]:
        self._check_budget()
        tries = Tries(self._gateway.retries, len(self._models))
        last: ModelCallFailed | None = None
        for model in self._models:
            tries.next_model()
            while tries.may_try and not (last and last.same_elsewhere):
                breaker = self._gateway.breakers.of(self._gateway.client.endpoint.base_url, model)
                permit = await tries.admission(breaker)
                if permit is None:
                    count_refusal(self._request.purpose, Outcome.CIRCUIT_OPEN)
                    break
                try:
                    async with aclosing(self._call(model, permit)) as deltas:
                        async for delta in deltas:
                            yield delta
                    return
                except ModelCallFailed as error:
                    if self._delivered:
                        raise AnswerCut(error.reason) from error
                    last = error
                    if not tries.failed(error, breaker):
                        break
        raise ModelUnavailable(last.reason if last else "the circuit is open") from last

    def _check_budget(self) -> None:
        expected = Usage(input_tokens=self._request.estimated_input_tokens(), output_tokens=1)
        try:
            self._ledger.check(expected, self._gateway.prices)
        except BudgetSpent:
            count_refusal(self._request.purpose, Outcome.BUDGET_SPENT)
            raise

    async def _call(self, model: str, permit: Permit) -> AsyncGenerator[ChatDelta]:
        chat = self._gateway.client.stream_chat(self._request, model)
        booking = _Booking(self._gateway, self._ledger, self._request.purpose, model, chat)
        try:
            async for text in chat:
                self._delivered = True
                yield ChatDelta(text)
            self._result = ChatResult(chat.text, model, chat.finish_reason or "stop", chat.usage)
            settle(permit, None)
            booking.enter(Outcome.COMPLETED)
        except ModelCallFailed as error:
            settle(permit, error)
            booking.enter(error.outcome, error)
            raise
        except (asyncio.CancelledError, GeneratorExit):
            booking.enter(Outcome.CANCELLED)
            raise
        finally:
            permit.abandoned()
            chat.close()


class _Booking:
    """Enters one call into the ledger, the log and its span, with the time it took."""

    def __init__(self, gateway: ModelGateway, ledger: Ledger, purpose: Purpose, model: str, chat: ChatStream) -> None:
        self._prices = gateway.prices
        self._ledger = ledger
        self._purpose = purpose
        self._model = model
        self._chat = chat
        self._begun = time.monotonic()
        self._span = detached_span("llm.call", model=model, purpose=purpose.value)

    def enter(self, outcome: Outcome, error: ModelCallFailed | None = None) -> None:
        usage = self._chat.usage
        milliseconds = round((time.monotonic() - self._begun) * 1000)
        cost = self._prices.cost_micros(usage)
        self._ledger.add(CallRecord(self._purpose, self._model, outcome, usage, cost, milliseconds))
        self._span.set_attributes({"xin.outcome": outcome.value, "xin.tokens": usage.total})
        self._span.end()
        if error:
            _log_failure(self._purpose, self._model, milliseconds, error)


def _log_failure(purpose: Purpose, model: str, milliseconds: int, error: ModelCallFailed) -> None:
    write = log.error if error.outcome is Outcome.MISCONFIGURED else log.warning
    write(
        "model call failed",
        purpose=purpose.value, model=model, outcome=error.outcome.value, reason=error.reason, milliseconds=milliseconds,
    )  # fmt: skip
