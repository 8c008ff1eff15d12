"""The embedders that the settings ask for; the first one ranks, the others are shown beside it."""

from chatbot.core.logging import get_logger
from chatbot.core.settings import ConfigurationError, Settings
from chatbot.knowledge.embedding.contract import Embedder
from chatbot.knowledge.embedding.fast import FastEmbedder
from chatbot.knowledge.embedding.minilm import MiniLmEmbedder
from chatbot.knowledge.embedding.remote import RemoteEmbedder
from chatbot.llm.embeddings import OpenAIEmbeddings
from chatbot.llm.errors import NoModelAnswer
from chatbot.llm.service import ModelGateway

log = get_logger(__name__)

# Known without asking, so that a start does not depend on the provider (OpenAI's model documentation).
_DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}


async def open_embedders(settings: Settings, models: ModelGateway) -> list[Embedder]:
    """Make the embedders of a process.

    Raises:
        ConfigurationError: `EMBEDDER` asks for one that is not there.
    """
    wanted = settings.embedder
    embedders: list[Embedder] = []
    if wanted == "fastembed":
        embedders.append(FastEmbedder(settings.fastembed_model, settings.data_dir / "models"))
    if wanted in {"auto", "openai"} and settings.openai_embedding_model:
        remote = await _remote(settings.openai_embedding_model, models)
        embedders += [remote] if remote else []
    elif wanted == "openai":
        raise ConfigurationError("OPENAI_EMBEDDING_MODEL: must be set when EMBEDDER is openai")
    if wanted in {"auto", "minilm"} and MiniLmEmbedder.available():
        embedders.append(MiniLmEmbedder(settings.data_dir / "models"))
    return embedders


async def _remote(model: str, models: ModelGateway) -> RemoteEmbedder | None:
    embeddings = OpenAIEmbeddings(models.client, model, breakers=models.breakers)
    try:
        dimensions = _DIMENSIONS.get(model) or await embeddings.dimension()
    except NoModelAnswer as error:
        log.warning("the embedding endpoint does not answer; searching by words alone", reason=str(error))
        return None
    return RemoteEmbedder(model, dimensions, embeddings)
