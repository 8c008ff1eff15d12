"""Embeddings over real HTTP."""

import pytest

from chatbot.llm.client import ModelClient
from chatbot.llm.embeddings import MAX_BATCH, OpenAIEmbeddings
from chatbot.llm.errors import EmbeddingsUnavailable, Malformed, Silent
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
