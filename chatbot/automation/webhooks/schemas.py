"""Bodies of the webhooks' API."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from chatbot.automation.catalogue import EVENTS
from chatbot.automation.jobs.schemas import JobStatus
from chatbot.automation.rules.schemas import Description, State
from chatbot.core.schemas import HttpAddress, RequestBody, ResponseBody, Timestamp


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [name for name in names if name not in EVENTS]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is none of {', '.join(sorted(EVENTS))}")
    return tuple(dict.fromkeys(names))


EventNames = Annotated[tuple[str, ...], Field(min_length=1, max_length=len(EVENTS)), AfterValidator(_known)]
Address = Annotated[str, StringConstraints(max_length=2_000), HttpAddress]


class CreateWebhook(RequestBody):
    """An address that is told of events of a tenant, or of one of its brands."""

    tenant_id: UUID
    brand_id: UUID | None = None
    url: Address
    events: EventNames
    description: Description = ""
    state: State = "active"


class ChangeWebhook(RequestBody):
    """What changes of a webhook; what is left out stays."""

    url: Address | None = None
    events: EventNames | None = None
    description: Description | None = None
    state: State | None = None


class WebhookView(ResponseBody):
    """A webhook as it is now.

    Attributes:
        waiting: deliveries that are to be sent, or sent again.
        failed: deliveries that were given up; each can be replayed.
    """

    id: UUID
    tenant_id: UUID
    brand_id: UUID | None
    url: str
    events: list[str]
    description: str
    state: State
    created_at: Timestamp
    updated_at: Timestamp
    waiting: int
    failed: int


class NewWebhook(WebhookView):
    """A webhook with the secret that signs what it is told (Standard Webhooks), shown this once."""

    secret: str


class NewSecret(ResponseBody):
    """The secret of a webhook, shown this once; what is sent from now on is signed by it."""

    secret: str


class DeliveryTry(ResponseBody):
    """One POST: `done` (received), `later` (it is tried again) or `failed`, with the answer in words."""

    at: Timestamp
    outcome: str
    words: str
    took_ms: int


class WebhookDelivery(ResponseBody):
    """One event that an address is told of.

    Attributes:
        webhook_id: the `webhook-id` header of every try, by which a receiver knows a repetition.
        payload: of the event: `data` of what is sent.
        attempts: failed tries since it was begun, or begun again; `tries` are all.
        reason: what the address answered when it did not take the event.
    """

    id: UUID
    webhook_id: UUID
    event: str
    payload: dict[str, Any]
    status: JobStatus
    attempts: int
    tries: list[DeliveryTry]
    reason: str | None
    due_at: Timestamp
    created_at: Timestamp
    finished_at: Timestamp | None


class TestResult(ResponseBody):
    """How an address answered a signed `{"type": "ping"}`."""

    __test__ = False  # to pytest

    ok: bool
    words: str
