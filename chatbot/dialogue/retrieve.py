"""Retrieve: the question, completed from the conversation where it needs that, and the passages found for it."""

from typing import Any

from chatbot.core.logging import get_logger
from chatbot.db.sessions import TenantReader
from chatbot.dialogue.condense import complete
from chatbot.dialogue.evidence import Passage
from chatbot.dialogue.parts import Found, Parts, Plan, Turn
from chatbot.dialogue.prompts.answer import condense_prompt
from chatbot.knowledge.retrieval.results import RetrievalResult, RetrievedPassage
from chatbot.llm.budgets import Ledger
from chatbot.llm.errors import AnswerCut, NoModelAnswer
from chatbot.llm.schemas import ChatRequest, Purpose

log = get_logger(__name__)

_MAX_QUERY = 500
_CONDENSE_TOKENS = 80


async def condensed(parts: Parts, turn: Turn, plan: Plan, ledger: Ledger | None) -> str:
    """Return the question to search for: as asked, or completed from the conversation by a model or by rule."""
    if not plan.follow_up:
        return turn.question
    by_rule = complete(turn.question, turn.language, turn.history)
    if not plan.smart or ledger is None:
        return by_rule
    prompt = condense_prompt(turn.history[-6:], turn.question)
    request = ChatRequest(prompt, Purpose.CONDENSE, temperature=0.0, max_tokens=_CONDENSE_TOKENS)
    try:
        result = await parts.models.complete(request, ledger)
    except (NoModelAnswer, AnswerCut) as error:
        log.info("follow-up completed by rule", reason=str(error))
        return by_rule
    written = " ".join(result.text.split())
    return written if 0 < len(written) <= _MAX_QUERY else by_rule


async def retrieve(parts: Parts, session: TenantReader, turn: Turn, plan: Plan, query: str) -> Found:
    """Search the brand's public knowledge."""
    result = await parts.retriever.retrieve(
        session, tenant_id=turn.tenant_id, brand_id=turn.brand_id, query=query, config=plan.policy.retrieval
    )
    passages = tuple(_passage(found) for found in result.context) if result.answerable else ()
    return Found(query, passages, result.evidence, _trace(result))


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
            {"id": str(found.passage_id), "source_id": str(found.source_id), "score": found.score, "cut": found.cut}
            for found in result.results
        ],
        "took_ms": result.took_ms,
    }
