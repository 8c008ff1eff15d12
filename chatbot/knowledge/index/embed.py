"""Embeds passages before they are stored: only those whose language the embedder knows."""

from collections.abc import Iterable, Sequence

from chatbot.knowledge.embedding.contract import Embedder, Vectors, knows
from chatbot.knowledge.index.drafts import EmbeddedPassages, PassageDraft
from chatbot.llm.errors import EmbeddingsRejected

_QUOTED = 60


def passage_text(title: str, headings: Iterable[str], text: str) -> str:
    """The text that is embedded: title and headings say what a passage is about when its own words do not."""
    return "\n".join(part for part in (title, *headings, text) if part)


async def embed_drafts(embedder: Embedder, title: str, drafts: Sequence[PassageDraft]) -> EmbeddedPassages:
    """Embed drafts of one source; to be called outside a transaction, for it may take seconds.

    Raises:
        Unavailable: the embedder does not answer now.
        EmbeddingsRejected: it refuses one of the texts; the reason quotes its begin.
    """
    known = [draft for draft in drafts if knows(embedder, draft.language)]
    if not known:
        return EmbeddedPassages(embedder.id, embedder.dimensions)
    vectors = await embed_texts(embedder, [passage_text(title, draft.heading_path, draft.text) for draft in known])
    by_ordinal = {draft.ordinal: vector for draft, vector in zip(known, vectors, strict=True) if vector is not None}
    return EmbeddedPassages(embedder.id, embedder.dimensions, by_ordinal)


async def embed_texts(
    embedder: Embedder, texts: Sequence[str], *, skip_refused: bool = False
) -> Sequence[Vectors | None]:
    """Embed texts; where they are refused together, in halves, for some endpoints take fewer at once than others.

    Args:
        skip_refused: whether a text that is refused by itself gives None instead of an error.

    Raises:
        Unavailable: the embedder does not answer now.
        EmbeddingsRejected: a text is refused by itself; the first one ends the work.
    """
    try:
        return list(await embedder.embed_passages(texts))
    except EmbeddingsRejected as error:
        if len(texts) == 1 and skip_refused:
            return [None]
        if len(texts) == 1:
            begin = " ".join(texts[0].split())[:_QUOTED]
            raise EmbeddingsRejected(
                f"The embedder refuses the passage that begins “{begin}”: {error.detail}."
            ) from error
    half = len(texts) // 2
    return [
        *await embed_texts(embedder, texts[:half], skip_refused=skip_refused),
        *await embed_texts(embedder, texts[half:], skip_refused=skip_refused),
    ]
