"""Embeddings over real HTTP."""

import asyncio
from pathlib import Path

import pytest

from chatbot.apps import runtime
from chatbot.core.settings import Settings
from chatbot.llm.client import ModelClient
from chatbot.llm.embeddings import MAX_BATCH, OpenAIEmbeddings
from chatbot.llm.errors import EmbeddingsRejected, EmbeddingsUnavailable, Malformed, Silent
from tests.conftest import TEST_KEYS
from tests.integration.llm.conftest import FAST, LIMITS
from tests.integration.llm.model_server import Call, ModelServer, Script, refuses, silent


def vectors(dimension: int = 4, *, drop: int = 0, reverse: bool = True) -> Script:
    """Answer with vectors that tell their text's length, in any order."""

    async def script(call: Call) -> None:
        rows = [
            {"index": i, "embedding": [float(len(text)), *([0.5] * (dimension - 1))]}
            for i, text in enumerate(call.body["input"])
        ]
        rows = rows[drop:]
        await refuses(200, {"data": rows[::-1] if reverse else rows})(call)

    return script


@pytest.fixture
def embeddings(client: ModelClient) -> OpenAIEmbeddings:
    return OpenAIEmbeddings(client, "e", retries=FAST)


async def test_batches_keep_their_order(server: ModelServer, embeddings: OpenAIEmbeddings) -> None:
    server.then(vectors())
    texts = ["x" * i for i in range(1, 301)]
    found = await embeddings(texts)
    assert [int(vector[0]) for vector in found] == list(range(1, 301))
    assert [len(call.body["input"]) for call in server.calls] == [MAX_BATCH, MAX_BATCH, 44]
    assert server.calls[0].path == "/v1/embeddings"
    assert await embeddings([]) == []


async def test_the_dimension_is_asked_once(server: ModelServer, embeddings: OpenAIEmbeddings) -> None:
    server.then(vectors(7))
    assert await embeddings.dimension() == 7
    assert await embeddings.dimension() == 7
    assert len(server.calls) == 1


async def test_a_large_answer(server: ModelServer, embeddings: OpenAIEmbeddings) -> None:
    server.then(vectors(1536))
    found = await embeddings(["text"] * MAX_BATCH)
    assert {len(vector) for vector in found} == {1536}


async def test_a_passing_fault_is_tried_again(server: ModelServer, embeddings: OpenAIEmbeddings) -> None:
    server.then(refuses(500), refuses(429, retry_after_ms="20"), vectors())
    assert len(await embeddings.patient()(["a"])) == 1
    assert len(server.calls) == 3


async def test_it_gives_up(server: ModelServer, embeddings: OpenAIEmbeddings) -> None:
    server.then(refuses(500))
    with pytest.raises(EmbeddingsUnavailable, match="500"):
        await embeddings(["a"])
    assert len(server.calls) == 4
    with pytest.raises(EmbeddingsUnavailable):
        await embeddings(["a"])
    assert len(server.calls) == 5  # the fifth failure in a row opened the circuit


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_what_is_refused_for_good_is_told_apart(
    server: ModelServer, embeddings: OpenAIEmbeddings, status: int
) -> None:
    server.then(refuses(status))
    with pytest.raises(EmbeddingsRejected, match=str(status)):
        await embeddings(["a"])
    assert len(server.calls) == 1


async def test_wrong_answers(server: ModelServer, client: ModelClient, embeddings: OpenAIEmbeddings) -> None:
    server.then(vectors(drop=1))
    with pytest.raises(Malformed, match="2 texts gave 1"):
        await client.embed(["a", "b"], "e")
    server.then(refuses(200, {"data": [{"index": 0, "embedding": "AAAA"}]}))
    with pytest.raises(Malformed):
        await client.embed(["a"], "e")
    server.then(vectors(4), vectors(5))
    await embeddings(["a"])
    with pytest.raises(EmbeddingsUnavailable, match="5 dimensions"):
        await embeddings(["a"])


async def test_silence(server: ModelServer, client: ModelClient) -> None:
    server.then(silent(seconds=LIMITS.embed))
    with pytest.raises(Silent):
        await client.embed(["a"], "e")


async def test_questions_leave_a_silent_endpoint_alone(
    server: ModelServer, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Documents, that may take longer, do not."""
    monkeypatch.setattr(runtime, "EMBED_SECONDS", 0.1)
    settings = Settings(
        xin_data_dir=tmp_path, embedder="openai", openai_embedding_model="e", openai_base_url=server.base_url,
        openai_api_key="k",
    )  # fmt: skip
    server.then(silent())
    async with runtime.open_runtime(settings, database_url, TEST_KEYS) as opened:
        for _ in range(7):
            found = await opened.retriever.embed_query("How do I reset my password?")
            assert "openai:e" not in [vector.embedder.id for vector in found]
        assert len(server.calls) <= 5  # fewer where a busy machine lets the time be over before the call is read
        assert opened.models.breakers.states()["e (questions)"].value == "open"
        server.then(vectors())
        async with asyncio.timeout(5):
            assert len(await opened.retriever.embedders[0].embed_passages(["a"])) == 1


async def test_documents_wait_as_long_as_the_endpoint_asks_for(
    server: ModelServer, database_url: str, tmp_path: Path
) -> None:
    """Longer than a visitor would; a source would fail after ten such answers."""
    settings = Settings(
        xin_data_dir=tmp_path, embedder="openai", openai_embedding_model="e", openai_base_url=server.base_url,
        openai_api_key="k",
    )  # fmt: skip
    server.then(refuses(429, retry_after_ms="5200"), vectors())
    async with runtime.open_runtime(settings, database_url, TEST_KEYS) as opened:
        assert len(await opened.retriever.embedders[0].embed_passages(["a"])) == 1
    assert len(server.calls) == 2
