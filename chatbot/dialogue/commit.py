"""Commit: reply, trace, gap, events and usage together, only if nobody has taken the floor since."""

import asyncio
from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from chatbot.core import correlation
from chatbot.core.ids import new_id
from chatbot.core.logging import get_logger
from chatbot.db.sessions import TenantSession, is_unconnected
from chatbot.dialogue import repository
from chatbot.dialogue.handoff import floor
from chatbot.dialogue.log_repository import EventRow
from chatbot.dialogue.masking import mask
from chatbot.dialogue.parts import Draft, Found, Parts, Plan, Turn
from chatbot.knowledge.gaps.repository import Gap
from chatbot.knowledge.gaps.service import note_gap
from chatbot.llm.budgets import Ledger
from chatbot.llm.usage import record_usage

log = get_logger(__name__)

_WAITS = (0.5, 1.5, 4.0, 8.0)
"""Seconds between tries while the database is away: it comes back within 15 s or the turn is lost."""

WITHDRAWN = ("human", "closed")
"""Modes of replies that were withdrawn; no draft has one of them."""


async def commit(parts: Parts, turn: Turn, plan: Plan, found: Found, draft: Draft, timings: dict[str, float]) -> str:
    """Store a finished reply.

    Returns:
        The reply's mode: the draft's; else `human` (a person took over) or `closed` (the conversation was closed):
        the reply is withdrawn, its usage is booked.

    Raises:
        SQLAlchemyError: the database stayed away; the sweeper closes the reply.
    """
    values, events = _values(turn, plan, found, draft, timings), _events(turn, draft)
    gap = _gap(turn, found) if draft.gap else None
    if parts.courier:
        await parts.courier.make_ready(turn)
    retried = False
    for wait in (*_WAITS, None):
        try:
            return await _once(parts, turn, draft, values, events, gap, retried=retried)
        except SQLAlchemyError as error:
            if wait is None or not is_unconnected(error):
                raise
            log.warning("reply not stored yet; trying again", reason=_words(error))
            await asyncio.sleep(wait)
            retried = True
    raise AssertionError("unreachable")


async def flush(parts: Parts, turn: Turn, so_far: str) -> None:
    """Store what a reply says so far; losing one is harmless."""
    try:
        async with parts.database.tenant(turn.tenant_id) as session:
            await repository.flush_reply(session, turn.reply_id, so_far)
    except SQLAlchemyError as error:
        log.warning("partial reply not stored", reason=_words(error))


def _words(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", error))[:200]


async def fail(parts: Parts, turn: Turn, ledger: Ledger | None) -> None:
    """Close the reply of a turn that broke, with no text, and book what its model calls cost; once at most."""
    async with parts.database.tenant(turn.tenant_id) as session:
        withdrawn = await repository.withdraw_reply(session, turn.reply_id, None)
        if withdrawn and ledger:
            record_usage(session, ledger, message_id=turn.reply_id)


async def _once(
    parts: Parts,
    turn: Turn,
    draft: Draft,
    values: dict[str, Any],
    events: list[EventRow],
    gap: Gap | None,
    *,
    retried: bool,
) -> str:
    mode: str = draft.mode
    async with parts.database.tenant(turn.tenant_id) as session:
        if retried and (settled := await _settled(session, values)) is not None:
            return settled
        stored = await repository.commit_reply(session, values, events)
        if stored and gap:
            await note_gap(session, gap)
        if stored and parts.courier:
            await parts.courier.put_reply(session, turn, draft)
        if stored and draft.wish:
            await floor.request(session, await floor.held(session, turn.conversation_id), draft.wish, parts.courier)
        if not stored:
            await repository.withdraw_reply(session, turn.reply_id, "human")
            withdrawn = await repository.message(session, turn.reply_id)
            mode = withdrawn.mode if withdrawn and withdrawn.mode in WITHDRAWN else "human"
        if draft.ledger:
            record_usage(session, draft.ledger, message_id=turn.reply_id)
    if stored:
        parts.hot_sessions.note(turn.hot)
    return mode


async def _settled(session: TenantSession, values: dict[str, Any]) -> str | None:
    """The mode that an earlier try, whose end was not heard of, left: its own, a withdrawn one's, or (None) nothing.

    Its usage is booked already, in the same transaction. A reply that the sweeper closed in between is not booked,
    and looks like none of these: it keeps its mode empty.
    """
    row = await repository.message(session, values["reply_id"])
    if row is None or row.status == "streaming":
        return None
    if (row.status, row.text, row.mode) == (values["status"], values["text"], values["mode"]):
        return row.mode
    return row.mode if row.mode in WITHDRAWN else None


def _values(turn: Turn, plan: Plan, found: Found, draft: Draft, timings: dict[str, float]) -> dict[str, Any]:
    return {
        "conversation_id": turn.conversation_id,
        "reply_id": turn.reply_id,
        "question_id": turn.question_id,
        "epoch": turn.epoch,
        "status": "interrupted" if draft.interrupted else "complete",
        "text": draft.text,
        "language": turn.language,
        "mode": draft.mode,
        "citations": draft.citations,
        "handoff_offered": draft.handoff_offered,
        "usage": usage(draft),
        "trace": trace_of(plan, found, draft, timings),
        "correlation_id": correlation.current(),
    }


def trace_of(plan: Plan, found: Found, draft: Draft, timings: Mapping[str, float]) -> dict[str, Any]:
    """Why a reply is as it is."""
    return {
        "plan": {
            "smart": plan.smart,
            "reason": plan.reason,
            "small_talk": plan.small_talk,
            "follow_up": plan.follow_up,
        },
        "retrieval": dict(found.trace),
        "policy_versions": plan.policy.versions,
        "cited": [str(passage.id) for _, passage in draft.cited],
        "notes": draft.notes,
        "milliseconds": timings,
    }


def _gap(turn: Turn, found: Found) -> Gap:
    question = mask(turn.question) if turn.policy.hide_personal_data else turn.question
    return Gap(
        new_id(), turn.brand_id, question, turn.language, found.evidence,
        conversation_id=turn.conversation_id, message_id=turn.question_id,
    )  # fmt: skip


def usage(draft: Draft) -> dict[str, Any]:
    """The tokens and money of a turn as clients see them."""
    calls = draft.ledger.calls if draft.ledger else []
    return {
        "input_tokens": sum(call.usage.input_tokens for call in calls),
        "output_tokens": sum(call.usage.output_tokens for call in calls),
        "cost_usd": sum(call.cost_micros for call in calls) / 1_000_000,
        "model": calls[-1].model if calls else None,
    }


def _events(turn: Turn, draft: Draft) -> list[EventRow]:
    about = {
        "conversation_id": str(turn.conversation_id),
        "brand_id": str(turn.brand_id),
        "channel_id": str(turn.channel_id),
        "message_id": str(turn.reply_id),
        "mode": draft.mode,
    }
    sent = EventRow("message.sent", about)
    if not draft.gap:
        return [sent]
    return [sent, EventRow("knowledge.gap", {**about, "question_id": str(turn.question_id)})]
