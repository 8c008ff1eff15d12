"""A reply as programs outside see it, of a live turn or of a stored row."""

from typing import Any
from uuid import UUID

from chatbot.dialogue.repository import MessageRow

NO_USAGE: dict[str, Any] = {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0, "model": None}


def reply_body(
    conversation_id: UUID,
    message_id: UUID,
    answer: str,
    citations: list[dict[str, Any]],
    mode: str,
    *,
    handoff_offered: bool = False,
    usage: dict[str, Any] | None = None,
    status: str = "complete",
) -> dict[str, Any]:
    """The JSON answer of `POST /v1/chat` and of the event `done` (contract, section 9)."""
    return {
        "conversation_id": str(conversation_id),
        "message_id": str(message_id),
        "answer": answer,
        "citations": citations,
        "mode": mode,
        "handoff_offered": handoff_offered,
        "usage": usage or NO_USAGE,
        "status": status,
    }


def stored_body(row: MessageRow) -> dict[str, Any]:
    """The body of a stored reply."""
    return reply_body(
        row.conversation_id, row.id, row.text, row.citations, row.mode or "no_answer",
        handoff_offered=row.handoff_offered, usage=row.usage, status=row.status,
    )  # fmt: skip
