"""Retrieve: the question, completed from the conversation where it needs that, and the passages found for it."""

from collections.abc import Sequence
from typing import Any

from chatbot.core.logging import get_logger
from chatbot.dialogue.condense import complete
from chatbot.dialogue.decide import mentions
from chatbot.dialogue.evidence import Passage
from chatbot.dialogue.masking import without_marks
from chatbot.dialogue.parts import Found, Parts, Plan, Turn
from chatbot.dialogue.prompts.answer import condense_prompt
from chatbot.knowledge.retrieval.results import RetrievalResult, RetrievedPassage
from chatbot.llm.budgets import Ledger
from chatbot.llm.errors import AnswerCut, NoModelAnswer
from chatbot.llm.schemas import ChatRequest, Purpose

log = get_logger(__name__)

_MAX_QUERY = 500
_CONDENSE_TOKENS = 80
_HISTORY = 6


async def questions(parts: Parts, turn: Turn, plan: Plan, ledger: Ledger) -> list[str]:
    """Return what to search for, the best guess first: as asked, or completed from the conversation.

    A follow-up is completed by a model where there is one, else by rule; should that find nothing, the other ways
    are tried.
    """
    asked = turn.question
    if not plan.follow_up:
        return [without_marks(asked)]
    guesses = [complete(asked, turn.language, turn.history), asked]
    if plan.smart and (written := await _condensed(parts, turn, plan, ledger)):
        guesses.insert(0, written)
    return [without_marks(guess) for guess in guesses]


async def _condensed(parts: Parts, turn: Turn, plan: Plan, ledger: Ledger) -> str:
    prompt = condense_prompt(turn.history[-_HISTORY:], turn.question)
    request = ChatRequest(prompt, Purpose.CONDENSE, plan.policy.model, temperature=0.0, max_tokens=_CONDENSE_TOKENS)
    try:
        result = await parts.models.complete(request, ledger, fallback_model=plan.policy.fallback_model)
    except (NoModelAnswer, AnswerCut) as error:
        log.info("follow-up completed by rule", reason=str(error))
        return ""
    written = " ".join(result.text.split())
    return written if len(written) <= _MAX_QUERY else ""


async def retrieve(parts: Parts, turn: Turn, plan: Plan, queries: Sequence[str]) -> Found:
    """Search the brand's public knowledge for the first of the queries that finds evidence."""
    found = Found(turn.question)
    failed: set[str] = set()
    for query in queries:
        vectors = await parts.retriever.embed_query(query, failed=failed)
        async with parts.database.tenant_reader(turn.tenant_id) as session:
            result = await parts.retriever.retrieve(
                session, tenant_id=turn.tenant_id, brand_id=turn.brand_id, query=query, vectors=vectors,
                config=plan.policy.retrieval, language=turn.language, ends=True,
            )  # fmt: skip
        blocked = plan.policy.blocked
        passages = tuple(_passage(found) for found in result.context if not mentions(found.passage, blocked))
        found = Found(query, passages, result.evidence, _trace(result))
        if passages:
            break
    return found


def _passage(found: RetrievedPassage) -> Passage:
    return Passage(
        found.passage_id, found.source_id, found.external_id, found.title, found.url, found.passage,
        found.heading_path, found.language, found.score, found.kind,
    )  # fmt: skip


def _trace(result: RetrievalResult) -> dict[str, Any]:
    return {
        "query": result.query,
        "language": result.language,
        "evidence": result.evidence,
        "answerable": result.answerable,
        "passages": [
            {
                "id": str(found.passage_id),
                "source_id": str(found.source_id),
                "score": found.score,
                "lexical_score": found.lexical_score,
                "vector_score": found.vector_score,
                "cut": found.cut,
            }
            for found in result.results
        ],
        "took_ms": result.took_ms,
    }
