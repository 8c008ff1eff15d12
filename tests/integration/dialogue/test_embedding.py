"""The question's vector is waited for without a database connection in hand, and not for long."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from chatbot.knowledge.embedding.contract import Vectors
from chatbot.knowledge.retrieval import service
from tests.conftest import TenantRows
from tests.integration.dialogue.platform import Platform


@dataclass
class SlowEmbedder:
    """Takes its time, and writes down how many connections of the pool were in use meanwhile."""

    platform: Platform
    seconds: float = 0.0
    in_use: list[int] = field(default_factory=list)
    id: str = "slow"
    dimensions: int = 4
    remote: bool = False
    languages: frozenset[str] | None = None

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return np.full((len(texts), 4), 0.5, np.float32)

    async def embed_query(self, text: str) -> Vectors:
        engine = self.platform.database._tenant_pool.engine
        self.in_use.append(engine.pool.checkedout())  # type: ignore[attr-defined]
        await asyncio.sleep(self.seconds)
        return np.full(4, 0.5, np.float32)


async def test_no_connection_is_held_while_the_question_is_embedded(plain: Platform, shop: TenantRows) -> None:
    embedder = SlowEmbedder(plain)
    plain.dialogue._parts.retriever.embedders = (embedder,)
    answer = await plain.ask(shop, "How do I reset my password on iPhone?")
    assert "Reset password" in answer["answer"]
    assert embedder.in_use == [0]


async def test_a_slow_embedder_is_not_waited_for(
    plain: Platform, shop: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "EMBED_SECONDS", 0.05)
    embedder = SlowEmbedder(plain, seconds=60)
    plain.dialogue._parts.retriever.embedders = (embedder,)
    async with asyncio.timeout(30):
        answer = await plain.ask(shop, "How do I reset my password on iPhone?")
    assert "Reset password" in answer["answer"]
    assert embedder.in_use == [0]


async def test_a_turn_waits_for_a_silent_embedder_once(
    plain: Platform, shop: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "EMBED_SECONDS", 0.05)
    first = await plain.ask(shop, "How do I repair the gearbox of a zeppelin?")
    embedder = SlowEmbedder(plain, seconds=5)
    plain.dialogue._parts.retriever.embedders = (embedder,)
    answer = await plain.ask(shop, "and the propeller?", conversation_id=first["conversation_id"])
    assert answer["mode"] == "no_answer"
    assert len(embedder.in_use) == 1
