"""Embeddings of the operator's endpoint: batches, retries, the dimension by asking."""

from collections.abc import Sequence

from chatbot.core.logging import get_logger
from chatbot.llm.breaker import Breakers
from chatbot.llm.budgets import Prices, count_call, count_refusal
from chatbot.llm.client import ModelClient
from chatbot.llm.errors import (
    BudgetSpent,
    EmbeddingsRejected,
    EmbeddingsUnavailable,
    ModelCallFailed,
    RequestRejected,
)
from chatbot.llm.metering import account
from chatbot.llm.retry import RetryPolicy, Tries, settle
from chatbot.llm.schemas import CallRecord, Outcome, Purpose, Usage, estimate_tokens

log = get_logger(__name__)

MAX_BATCH = 128
PATIENT = RetryPolicy(longest_wait=60.0, patience=180.0)
"""For ingestion, where nobody waits: a `Retry-After` of a minute is kept."""
HASTY = RetryPolicy(tries=2, first_delay=0.2, longest_wait=0.5, patience=1.0)
"""For questions, whose askers wait."""


class OpenAIEmbeddings:
    """Turns texts into vectors: `vectors = await embeddings(texts)`, as the endpoint gives them (not scaled).

    Args:
        client: the endpoint's client.
        model: the embedding model's name.
        breakers: share the gateway's, so that both know when the endpoint is down.
        prices: what tokens cost.
        retries: the tries of one batch.
    """

    def __init__(
        self,
        client: ModelClient,
        model: str,
        *,
        breakers: Breakers | None = None,
        retries: RetryPolicy | None = None,
        prices: Prices | None = None,
    ) -> None:
        self.model = model
        self._client = client
        self._breakers = breakers or Breakers()
        self._retries = retries or RetryPolicy()
        self._prices = prices or Prices()
        self._dimension: int | None = None
        self._limit: float | None = None

    def patient(self) -> "OpenAIEmbeddings":
        """Return the same embedder with the tries of work that nobody waits for."""
        twin = OpenAIEmbeddings(self._client, self.model, breakers=self._breakers, retries=PATIENT, prices=self._prices)
        twin._dimension = self._dimension
        return twin

    def hasty(self, seconds: float) -> "OpenAIEmbeddings":
        """Return the same embedder for questions: one that is silent for so long has failed.

        Its breaker is its own: an endpoint that needs longer than a visitor waits may still embed documents.
        """
        twin = OpenAIEmbeddings(self._client, self.model, breakers=self._breakers, retries=HASTY, prices=self._prices)
        twin._limit = seconds
        return twin

    async def dimension(self) -> int:
        """Return the vectors' length; asks the endpoint once.

        Raises:
            EmbeddingsUnavailable: the endpoint does not answer.
        """
        if self._dimension is None:
            self._dimension = len((await self._batch(["dimension"]))[0])
        return self._dimension

    async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """Embed texts in batches of at most 128; vectors come in the order of the texts.

        Raises:
            EmbeddingsUnavailable: a batch failed, and a later try may succeed; the cause is chained.
            EmbeddingsRejected: a batch was refused for what it is; the cause is chained.
        """
        vectors: list[list[float]] = []
        for start in range(0, len(texts), MAX_BATCH):
            vectors += await self._batch(texts[start : start + MAX_BATCH])
        return vectors

    async def _batch(self, texts: Sequence[str]) -> list[list[float]]:
        self._check_budget()
        name = self.model if self._limit is None else f"{self.model} (questions)"
        breaker = self._breakers.of(self._client.endpoint.base_url, name)
        tries = Tries(self._retries, 1)
        tries.next_model()
        last: ModelCallFailed | None = None
        while tries.may_try:
            permit = await tries.admission(breaker)
            if permit is None:
                count_refusal(Purpose.EMBED, Outcome.CIRCUIT_OPEN)
                break
            try:
                vectors = await self._client.embed(texts, self.model, within=self._limit)
            except ModelCallFailed as error:
                settle(permit, error)
                last = error
                self._note(error.outcome, error)
                if not tries.failed(error, breaker):
                    break
            else:
                settle(permit, None)
                self._note(Outcome.COMPLETED)
                self._book(texts)
                return self._checked(vectors)
            finally:
                permit.abandoned()
        kind = EmbeddingsRejected if isinstance(last, RequestRejected) else EmbeddingsUnavailable
        raise kind(last.reason if last else "the circuit is open") from last

    def _check_budget(self) -> None:
        """Ask for nothing when the budget is spent: whoever waits searches by words alone."""
        ledger = account()
        if ledger is None:
            return
        try:
            ledger.check(Usage(input_tokens=1), self._prices)
        except BudgetSpent as error:
            count_refusal(Purpose.EMBED, Outcome.BUDGET_SPENT)
            raise EmbeddingsUnavailable(str(error)) from error

    def _book(self, texts: Sequence[str]) -> None:
        """Enter what a batch cost, by our own estimate, into the ledger of whoever embeds."""
        if (ledger := account()) is not None:
            usage = Usage(sum(map(estimate_tokens, texts)), estimated=True)
            cost = self._prices.cost_micros(usage)
            ledger.enter(CallRecord(Purpose.EMBED, self.model, Outcome.COMPLETED, usage, cost))

    def _checked(self, vectors: list[list[float]]) -> list[list[float]]:
        """Refuse vectors of another length than the first seen: the model behind the name was changed."""
        found = len(vectors[0]) if vectors else self._dimension
        if self._dimension is not None and found != self._dimension:
            raise EmbeddingsUnavailable(f"{self.model} gave {found} dimensions, before it gave {self._dimension}")
        self._dimension = found
        return vectors

    def _note(self, outcome: Outcome, error: ModelCallFailed | None = None) -> None:
        count_call(CallRecord(Purpose.EMBED, self.model, outcome))
        if error:
            log.warning("embedding failed", model=self.model, outcome=outcome.value, reason=error.reason)
