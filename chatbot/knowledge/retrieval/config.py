"""The tenant's retrieval configuration, under the name by which searches take it."""

from chatbot.identity.policies.schemas import KnowledgeFilters, RetrievalConfig

__all__ = ["KnowledgeFilters", "RetrievalConfig"]
