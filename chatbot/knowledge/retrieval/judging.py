"""Judges what was found: whether it is evidence, and whether what is in the question's own language is so by itself."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from chatbot.knowledge.index.lexical import StoredPassage
from chatbot.knowledge.retrieval.evidence import evidence, lexical_signals, vector_signals
from chatbot.knowledge.retrieval.fusion import FusedPassage
from chatbot.knowledge.retrieval.holding import held_by
from chatbot.knowledge.retrieval.question import Question

_EVIDENCE_PASSAGES = 3

_NEARLY_AS_GOOD = 0.5
"""What is in the question's language goes first when its evidence is at least so much of everything's."""

_OTHER_LANGUAGE = 0.7
"""What passages in other languages then count beside the best in the question's own."""


class Judged(NamedTuple):
    """Passages in the order of an answer, how likely they hold one (0–1), and why."""

    order: Sequence[FusedPassage]
    evidence: float
    signals: Mapping[str, float]


def looked_at(fused: Sequence[FusedPassage], language: str | None, limit: int) -> list[UUID]:
    """The passages that `judge` and the first ``limit`` results need, whichever order is chosen."""
    most = max(limit, _EVIDENCE_PASSAGES)
    chosen = [*fused[:most], *(_own_first(fused, language)[:most] if _is_mixed(fused, language) else ())]
    return list(dict.fromkeys(passage.id for passage in chosen))


def judge(
    question: Question,
    fused: Sequence[FusedPassage],
    stored: Mapping[UUID, StoredPassage],
    *,
    language: str | None,
    min_score: float,
) -> Judged:
    """Weigh the evidence; passages in ``language`` go first when they are evidence without the others.

    A name that is the same in every language finds passages in all of them. Where there is nothing in the question's
    own, those in another answer as before.
    """
    every = _judged(question, fused, stored)
    if not _is_mixed(fused, language):
        return every
    own = _judged(question, [passage for passage in fused if passage.language == language], stored)
    if own.evidence < max(min_score, _NEARLY_AS_GOOD * every.evidence):
        return every
    return own._replace(order=_own_first(fused, language))


def _is_mixed(fused: Sequence[FusedPassage], language: str | None) -> bool:
    spoken = {passage.language for passage in fused}
    return language in spoken and len(spoken) > 1


def _own_first(fused: Sequence[FusedPassage], language: str | None) -> list[FusedPassage]:
    best = max((passage.score for passage in fused if passage.language == language), default=0.0) or 1.0
    weighed = [
        one._replace(score=one.score / best if one.language == language else one.score * _OTHER_LANGUAGE)
        for one in fused
    ]
    return sorted(weighed, key=lambda passage: (-passage.score, passage.id))


def _judged(question: Question, fused: Sequence[FusedPassage], stored: Mapping[UUID, StoredPassage]) -> Judged:
    signals = _signals(question, fused, stored)
    return Judged(fused, round(evidence(signals), 4), signals)


def _signals(
    question: Question, fused: Sequence[FusedPassage], stored: Mapping[UUID, StoredPassage]
) -> dict[str, float]:
    rows = [stored[passage.id] for passage in fused[:_EVIDENCE_PASSAGES] if passage.id in stored]
    if not rows:
        return {}
    top = [held_by(row.title, tuple(row.heading_path), row.text, question.language) for row in rows]
    best = max(fused, key=lambda passage: passage.lexical)
    signals = lexical_signals(question, top, best.lexical)
    cosines = sorted((passage.vector for passage in fused if passage.vector is not None), reverse=True)
    return signals | vector_signals(cosines, best.vector or 0.0) if cosines else signals
