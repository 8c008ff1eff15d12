"""A platform without a model and one with a model server, over the module's database."""

from collections.abc import AsyncIterator

import pytest

from chatbot.db.sessions import Database
from tests.conftest import TenantRows
from tests.integration.dialogue.model_server import ModelServer, run_model_server
from tests.integration.dialogue.platform import DOCUMENTS, Platform, add_knowledge, run_platform


@pytest.fixture
async def shop(database: Database, tenant: TenantRows) -> TenantRows:
    """A tenant with knowledge in three languages."""
    await add_knowledge(database, tenant, DOCUMENTS)
    return tenant


@pytest.fixture
async def plain(database_url: str) -> AsyncIterator[Platform]:
    """The chat API without a model."""
    async with run_platform(database_url) as platform:
        yield platform


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    """A model server."""
    async with run_model_server() as server:
        yield server


@pytest.fixture
async def smart(database_url: str, model: ModelServer) -> AsyncIterator[Platform]:
    """The chat API with the model server."""
    async with run_platform(database_url, model.url) as platform:
        yield platform
