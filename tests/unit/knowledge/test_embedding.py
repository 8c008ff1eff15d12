"""The offline model equals the published one, answers alike from the cache, and remote answers are checked."""

import math
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from chatbot.knowledge.embedding.bert_graph import read_safetensors
from chatbot.knowledge.embedding.contract import EmbeddingFailed, knows
from chatbot.knowledge.embedding.minilm import MiniLmEmbedder, _weights_folder
from chatbot.knowledge.embedding.remote import RemoteEmbedder

TEXTS = ["How do I return an item?", "The capital of France is Paris.", "Refunds take five working days. " * 60]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> MiniLmEmbedder:
    return MiniLmEmbedder(tmp_path_factory.mktemp("models"))


def _reference(text: str) -> np.ndarray:
    """The model as published, in float32: numpy only."""
    w = read_safetensors(_weights_folder() / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(_weights_folder() / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.no_padding()
    ids = tokenizer.encode(text).ids

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        scaled = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    e = "embeddings"
    x = w[f"{e}.word_embeddings.weight"][ids] + w[f"{e}.position_embeddings.weight"][: len(ids)]
    x = norm(x + w[f"{e}.token_type_embeddings.weight"][0], f"{e}.LayerNorm")
    gelu = np.vectorize(lambda v: 0.5 * v * (1 + math.erf(v / math.sqrt(2))))
    for layer in range(6):
        n = f"encoder.layer.{layer}"
        q, k, v = (
            linear(x, f"{n}.attention.self.{part}").reshape(-1, 12, 32).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = np.exp(q @ k.transpose(0, 2, 1) / math.sqrt(32))
        mixed = (scores / scores.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(-1, 384)
        x = norm(linear(mixed, f"{n}.attention.output.dense") + x, f"{n}.attention.output.LayerNorm")
        inner = gelu(linear(x, f"{n}.intermediate.dense"))
        x = norm(linear(inner, f"{n}.output.dense") + x, f"{n}.output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


async def test_the_int8_model_equals_the_published_one(embedder: MiniLmEmbedder) -> None:
    vectors = await embedder.embed_passages(TEXTS)
    assert vectors.shape == (3, 384)
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert float(vector @ _reference(text)) > 0.985


async def test_a_batch_answers_as_single_texts_do(embedder: MiniLmEmbedder) -> None:
    together = await embedder.embed_passages(TEXTS)
    alone = await embedder.embed_query(TEXTS[0])
    assert float(together[0] @ alone) > 0.99
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-3)
    assert (await embedder.embed_passages([])).shape == (0, 384)


async def test_the_model_is_converted_once(embedder: MiniLmEmbedder, tmp_path: Path) -> None:
    await embedder.embed_query("warm")
    files = list(embedder._model_dir.iterdir())
    assert [file.name for file in files] == ["minilm-l6-v2-int8.2.onnx"]
    assert files[0].stat().st_size < 25_000_000


async def test_remote_vectors_are_checked_and_made_unit_length() -> None:
    async def call(texts: object) -> list[list[float]]:
        return [[3.0, 4.0]]

    remote = RemoteEmbedder("openai:text-embedding-3-small", call)
    assert (await remote.embed_query("x")).tolist() == pytest.approx([0.6, 0.8])
    assert remote.dimensions == 2
    with pytest.raises(EmbeddingFailed, match="for 2 texts"):
        await remote.embed_passages(["a", "b"])


def test_a_model_weak_in_persian_is_not_given_persian() -> None:
    async def call(texts: object) -> list[list[float]]:
        return []

    assert not knows(RemoteEmbedder("openai:text-embedding-3-small", call), "fa")
    assert knows(RemoteEmbedder("openai:text-embedding-3-large", call), "fa")
