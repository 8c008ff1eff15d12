"""A scripted model server, and a client whose limits no busy machine oversteps: tests let them pass (`tests.clock`)."""

from collections.abc import AsyncIterator

import pytest

from chatbot.core.ids import new_id
from chatbot.llm.budgets import Ledger, Prices
from chatbot.llm.client import Endpoint, ModelClient, TimeLimits
from chatbot.llm.retry import RetryPolicy
from chatbot.llm.schemas import ChatMessage, ChatRequest, Purpose
from chatbot.llm.service import ModelGateway
from tests.integration.llm.model_server import ModelServer, model_server

LIMITS = TimeLimits(connect=60, first_token=60, idle=60, tail=60, embed=60)
FAST = RetryPolicy(first_delay=0.01, longest_delay=0.05, longest_wait=0.5, patience=600)


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    """A server that does what the test scripts."""
    async with model_server() as served:
        yield served


@pytest.fixture
async def client(server: ModelServer) -> AsyncIterator[ModelClient]:
    """A client of that server."""
    async with ModelClient(Endpoint(server.base_url), limits=LIMITS) as made:
        yield made


@pytest.fixture
def gateway(client: ModelClient) -> ModelGateway:
    """A gateway with a fallback model and fast retries."""
    return ModelGateway(client, model="first", fallback_model="second", prices=Prices(1, 2), retries=FAST)


@pytest.fixture
def ledger() -> Ledger:
    """A turn's ledger without limits."""
    return Ledger(new_id())


@pytest.fixture
def request_() -> ChatRequest:
    """A question."""
    return ChatRequest((ChatMessage("system", "Be brief."), ChatMessage("user", "سلام")), Purpose.ANSWER)
