"""Embeds passages before they are stored: only those whose language the embedder knows."""

from collections.abc import Iterable, Sequence

from chatbot.knowledge.embedding.contract import Embedder, knows
from chatbot.knowledge.index.passages import EmbeddedPassages, PassageDraft


def passage_text(title: str, headings: Iterable[str], text: str) -> str:
    """The text that is embedded: title and headings say what a passage is about when its own words do not."""
    return "\n".join(part for part in (title, *headings, text) if part)


async def embed_drafts(embedder: Embedder, title: str, drafts: Sequence[PassageDraft]) -> EmbeddedPassages:
    """Embed drafts of one source; to be called outside a transaction, for it may take seconds.

    Raises:
        EmbeddingFailed: the embedder does not answer now.
    """
    known = [draft for draft in drafts if knows(embedder, draft.language)]
    if not known:
        return EmbeddedPassages(embedder.id, embedder.dimensions)
    vectors = await embedder.embed_passages([passage_text(title, draft.heading_path, draft.text) for draft in known])
    by_ordinal = {draft.ordinal: vector for draft, vector in zip(known, vectors, strict=True)}
    return EmbeddedPassages(embedder.id, embedder.dimensions, by_ordinal)
