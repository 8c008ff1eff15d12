"""What a message is found by: the stems of its words in every language that stems, hashed within the tenant.

A question is short and its language is often a guess; so messages are stored by all their stems, and whichever
language the question is taken for, its own stems are among them.
"""

import re
from uuid import UUID

from chatbot.knowledge.analysis.words import analyse, term_key

LANGUAGES = ("en", "es", "fa")
_MOST = 2_000
"""Stems that are kept of one message."""

_TOKEN = re.compile(r"\w+")
_AROUND = 70


def stored_terms(tenant_id: UUID, text: str) -> list[int]:
    """Return the terms of a message."""
    stems = dict.fromkeys(word.stem for language in LANGUAGES for word in analyse(text, language).words)
    return [term_key(tenant_id, stem) for stem in list(stems)[:_MOST]]


def wanted_terms(tenant_id: UUID, question: str) -> list[list[int] | None]:
    """Return what a message must hold all of, by each language; None: the question has no words in it."""
    each = [list(dict.fromkeys(word.stem for word in analyse(question, language).words)) for language in LANGUAGES]
    return [[term_key(tenant_id, stem) for stem in stems] or None for stems in each]


def snippet(text: str, question: str) -> str:
    """Return the part of a text around the first word that a question asks for."""
    stems = {word.stem for language in LANGUAGES for word in analyse(question, language).words}
    at = next((token.start() for token in _TOKEN.finditer(text) if _stems_of(token.group()) & stems), 0)
    start, end = max(0, at - _AROUND), min(len(text), at + 2 * _AROUND)
    cut = " ".join(text[start:end].split())
    return f"{'…' if start else ''}{cut}{'…' if end < len(text) else ''}"


def _stems_of(token: str) -> set[str]:
    return {word.stem for language in LANGUAGES for word in analyse(token, language).words}
