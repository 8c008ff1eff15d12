"""Why the bot said that, as people read it: a turn's trace with the passages that it names."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chatbot.db.sessions import TenantReader
from chatbot.dialogue.schemas import TraceView
from chatbot.knowledge.index.lexical import StoredPassage, load_passages


async def trace_view(
    session: TenantReader, trace: Mapping[str, Any], *, question: str | None, usage: Mapping[str, Any]
) -> TraceView:
    """Return a trace (`commit.trace_of`, or as it is stored) with titles and texts of what is still there."""
    retrieval = trace.get("retrieval", {})
    listed: list[dict[str, Any]] = retrieval.get("passages", [])
    texts = await load_passages(session, [UUID(each["id"]) for each in listed])
    cited = set(trace.get("cited", ()))
    return TraceView.model_validate(
        {
            "question": question,
            "query": retrieval.get("query"),
            "passages": [_passage(each, texts.get(UUID(each["id"])), cited) for each in listed],
            "evidence": retrieval.get("evidence"),
            "plan": trace.get("plan", {}),
            "prompt": trace.get("prompt"),
            "model": usage.get("model"),
            "usage": usage or None,
            "milliseconds": trace.get("milliseconds", {}),
            "policy_versions": trace.get("policy_versions", []),
            "notes": trace.get("notes", {}),
        }
    )


def _passage(found: Mapping[str, Any], stored: StoredPassage | None, cited: set[str]) -> dict[str, Any]:
    scores = {name: found.get(name) for name in ("score", "lexical_score", "vector_score", "cut")}
    return {
        "title": stored.title if stored else None,
        "passage": stored.text if stored else None,
        "source_id": found["source_id"],
        "cited": found["id"] in cited,
        **scores,
    }
