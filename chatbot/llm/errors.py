"""How a model call can fail, and what each failure means for retries, the breaker and the fallback model.

A turn that catches `NoModelAnswer` answers from the knowledge alone; only `EmbeddingsUnavailable` and
`EmbeddingsRejected` may reach a client.
"""

from typing import ClassVar

from chatbot.core.errors import Unavailable, XinError
from chatbot.llm.schemas import Outcome


class NoModelAnswer(Exception):
    """No text came from a model and none will: answer from the knowledge alone."""


class BudgetSpent(NoModelAnswer):
    """The tenant's budget of this UTC day does not allow the call; nothing was sent."""


class ModelUnavailable(NoModelAnswer):
    """Every model and every try failed before the first delta; the cause is chained."""


class EmbeddingsUnavailable(Unavailable):
    """The embedding endpoint failed for good; a later try may succeed. The cause is chained."""

    code = "embeddings_unavailable"
    title = "The text could not be embedded now"


class EmbeddingsRejected(XinError):
    """The embedding endpoint refuses these texts, now and later; others, or fewer at once, may pass."""

    status = 422
    code = "embeddings_rejected"
    title = "The text cannot be embedded"


class AnswerCut(Exception):
    """The stream failed after text had been delivered; it cannot be begun again unseen. The cause is chained."""


class ModelCallFailed(Exception):
    """One try failed. The message is safe to log: it holds no key, no prompt, no answer.

    Attributes:
        outcome: how the call ended, for metrics and usage rows.
        retryable: whether the same model may be tried again.
        same_elsewhere: whether another model of the endpoint would fail the same way (a refused key).
        retry_after: seconds the provider asked us to wait, if it did.
    """

    outcome: ClassVar[Outcome] = Outcome.FAILED
    retryable: ClassVar[bool] = True
    same_elsewhere: ClassVar[bool] = False

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after

    @property
    def blames_model(self) -> bool:
        """Whether the breaker counts this against the endpoint and model."""
        return True


class ProviderFailed(ModelCallFailed):
    """The provider answered 5xx, 408 or 409, or sent an error inside the stream."""


class Unreachable(ModelCallFailed):
    """No connection, or it broke before an answer began."""

    outcome = Outcome.UNREACHABLE


class RateLimited(ModelCallFailed):
    """429. With `Retry-After` the wait itself keeps us away, so the breaker need not count it."""

    outcome = Outcome.RATE_LIMITED

    @property
    def blames_model(self) -> bool:
        """Only a 429 that does not say when to come back counts."""
        return self.retry_after is None


class Silent(ModelCallFailed):
    """No first token within the limit. Not tried again here: the visitor has waited long enough."""

    outcome = Outcome.SILENT
    retryable = False


class Stalled(ModelCallFailed):
    """The stream began and then gave nothing for the idle limit."""

    outcome = Outcome.STALLED
    retryable = False


class StreamCut(ModelCallFailed):
    """The stream ended without `[DONE]` and without a finish reason."""

    outcome = Outcome.CUT


class Malformed(ModelCallFailed):
    """What came is not what the protocol says."""

    outcome = Outcome.MALFORMED


class EmptyAnswer(ModelCallFailed):
    """The stream finished well and held no text (a small `max_tokens` spent on reasoning, a filter)."""

    outcome = Outcome.EMPTY
    retryable = False

    @property
    def blames_model(self) -> bool:
        """The endpoint works."""
        return False


class RequestRejected(ModelCallFailed):
    """400, 413 or 422: this request is at fault; others may pass."""

    outcome = Outcome.REJECTED
    retryable = False

    @property
    def blames_model(self) -> bool:
        """The endpoint works."""
        return False


class ModelMissing(ModelCallFailed):
    """403, 404 or a redirect: the model or the address is wrong for everybody until the operator mends it."""

    outcome = Outcome.MISCONFIGURED
    retryable = False


class KeyRefused(ModelCallFailed):
    """401, 402 or a quota that is used up: the operator must act; no model behind this key will answer."""

    outcome = Outcome.MISCONFIGURED
    retryable = False
    same_elsewhere = True
