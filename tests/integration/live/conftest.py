"""A gateway on a real port before a real orchestrator, both on the module's database."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.dialogue.conftest import model, shop, smart
from tests.integration.dialogue.platform import Platform
from tests.integration.live.gateway import Gateway, run_gateway


@pytest.fixture
async def gateway(database_url: str, smart: Platform) -> AsyncIterator[Gateway]:
    """A gateway whose orchestrator has a model."""
    async with run_gateway(database_url, smart.url) as running:
        yield running


__all__ = ["gateway", "model", "shop", "smart"]
