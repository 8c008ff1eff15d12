"""The tenant's retrieval configuration, under the name by which searches take it."""

from chatbot.identity.policies.schemas import KnowledgeFilters, RetrievalConfig


def overridden(saved: RetrievalConfig, given: RetrievalConfig | None) -> RetrievalConfig:
    """Return what is saved, with the fields that were given in place of its own."""
    if given is None:
        return saved
    return saved.model_copy(update={name: getattr(given, name) for name in given.model_fields_set})


__all__ = ["KnowledgeFilters", "RetrievalConfig", "overridden"]
