"""What makes two unanswered questions the same: their words that carry meaning, folded and stemmed, in any order."""

from hashlib import blake2b

from chatbot.knowledge.analysis.folding import fold
from chatbot.knowledge.analysis.words import analyse


def group_key(question: str, language: str) -> str:
    """Return 32 hexadecimal digits that near-identical questions share; stable over processes and versions.

    A question of stop words alone is known by its folded text.
    """
    stems = analyse(question, language).stems
    said = "\n".join(sorted(stems)) or " ".join(fold(question).split())
    return blake2b(said.encode(), digest_size=16).hexdigest()
