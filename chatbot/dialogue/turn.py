"""A turn: accept → decide → retrieve → ground → generate → check → commit.

*accept* runs in the request, so that its errors reach the client; the rest runs as a task of its own and writes into
a live reply, which any number of readers follow.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chatbot.core.metrics import REFUSALS, TURNS, turn_durations
from chatbot.core.telemetry import span
from chatbot.dialogue.accept import Accepted, accept
from chatbot.dialogue.commit import WITHDRAWN, commit, usage
from chatbot.dialogue.decide import decide
from chatbot.dialogue.generate import generate
from chatbot.dialogue.ground import from_knowledge, no_answer, passing_on, small_talk_reply
from chatbot.dialogue.incoming import Incoming
from chatbot.dialogue.live import LiveReply
from chatbot.dialogue.masking import masked_turn
from chatbot.dialogue.parts import Draft, Found, Parts, Plan, Turn, TurnPolicy
from chatbot.dialogue.prompts.phrases import phrase
from chatbot.dialogue.replies import reply_body
from chatbot.dialogue.retrieve import questions, retrieve
from chatbot.dialogue.tickets import open_ticket
from chatbot.llm.budgets import Ledger
from chatbot.llm.metering import on_account
from chatbot.llm.usage import open_ledger


async def begin(parts: Parts, incoming: Incoming) -> Accepted:
    """Store the message in a transaction of its own."""
    async with parts.database.tenant(incoming.tenant_id) as session:
        accepted = await accept(session, incoming)
    if accepted.hot:
        parts.hot_sessions.note(accepted.hot)
    return accepted


async def answer(parts: Parts, turn: Turn, live: LiveReply) -> None:
    """Run the rest of the turn; the live reply ends with `done`, and keeps the ledger for whoever clears up."""
    clock = Clock()
    with span("turn", conversation_id=str(turn.conversation_id), tenant_id=str(turn.tenant_id)) as step:
        plan, found, draft = await draft_reply(parts, turn, live, clock)
        clock.lap("generate")
        if draft.text and not live.text:
            live.write(draft.text)
            for citation in draft.citations:
                live.cite(citation)
        mode = await commit(parts, turn, plan, found, draft, clock.laps)
        step.set_attributes({"xin.mode": draft.mode, "xin.stored": mode == draft.mode})
    _count(plan, draft, mode)
    live.finish("done", done_body(turn, draft) if mode == draft.mode else withdrawn_body(turn, mode))


def _count(plan: Plan, draft: Draft, mode: str) -> None:
    TURNS.labels(mode).inc()
    if mode == draft.mode == "no_answer":
        REFUSALS.labels("blocked" if plan.blocked else "no_evidence").inc()


@contextmanager
def timed(turn: Turn, live: LiveReply) -> Iterator[None]:
    """Count how long the turn in the block takes from its message's acceptance to its reply's end, whatever that is."""
    durations = turn_durations(turn.channel_type)
    try:
        yield
    finally:
        ended = live.ended_at or time.monotonic()
        durations[_outcome(live)].observe(ended - turn.accepted_at)


def _outcome(live: LiveReply) -> str:
    """Return one of `TURN_OUTCOMES`. A reply of a job that the process gave back is begun anew: nothing failed."""
    if live.last is None or live.last.name == "error":
        return "interrupted" if live.abandoned else "failed"
    if live.last.data["mode"] in WITHDRAWN:
        return "withdrawn"
    return "interrupted" if live.last.data["status"] == "interrupted" else "answered"


async def apologize(parts: Parts, turn: Turn) -> None:
    """Store that no reply could be made: the visitor is told, and a person is offered."""
    plan = Plan(TurnPolicy(persona=""), turn.language, reason="the turn failed")
    draft = Draft("no_answer", phrase("failed", turn.language), handoff_offered=True)
    await commit(parts, turn, plan, Found(turn.question), draft, {})


async def draft_reply(parts: Parts, turn: Turn, live: LiveReply, clock: "Clock") -> tuple[Plan, Found, Draft]:
    """Run the stages between *accept* and *commit*; the live reply holds the ledger as soon as there is one."""
    plan = decide(parts, turn)
    if plan.ticket:
        return plan, Found(turn.question), await open_ticket(parts, turn, plan)
    if plan.small_talk:
        return plan, Found(turn.question), small_talk_reply(plan)
    if plan.person:
        return plan, Found(turn.question), passing_on(turn, plan)
    if plan.blocked:
        return plan, Found(turn.question), no_answer(turn, plan)
    if turn.policy.hide_personal_data:
        turn = masked_turn(turn)
    ledger = live.ledger = await _ledger(parts, turn)
    clock.lap("decide")
    # Models and embedders, which may be far away, are never waited for with a connection in hand.
    with on_account(ledger), span("retrieval") as step:
        found = await retrieve(parts, turn, plan, await questions(parts, turn, plan, ledger))
        step.set_attribute("xin.passages", len(found.passages))
    clock.lap("retrieve")
    draft = await _grounded(parts, turn, plan, found, ledger, live)
    draft.ledger = ledger
    return plan, found, draft


async def _ledger(parts: Parts, turn: Turn) -> Ledger:
    """Begin the turn's ledger; what was spent before is read only where that is limited."""
    if not turn.policy.budget.limited:
        return Ledger(turn.tenant_id, turn.policy.budget)
    async with parts.database.tenant_reader(turn.tenant_id) as session:
        return await open_ledger(session, turn.policy.budget)


async def _grounded(parts: Parts, turn: Turn, plan: Plan, found: Found, ledger: Ledger, live: LiveReply) -> Draft:
    if not found.passages:
        return no_answer(turn, plan)
    if not plan.smart:
        return from_knowledge(turn, plan, found)
    return await generate(parts, turn, plan, found, ledger, live)


def done_body(turn: Turn, draft: Draft) -> dict[str, Any]:
    """A finished reply as clients see it (contract, section 9)."""
    return reply_body(
        turn.conversation_id, turn.reply_id, draft.text, draft.citations, draft.mode,
        handoff_offered=draft.handoff_offered, usage=usage(draft),
        status="interrupted" if draft.interrupted else "complete",
    )  # fmt: skip


def withdrawn_body(turn: Turn, mode: str) -> dict[str, Any]:
    """What is left of a reply when a person took over (`human`) or the conversation was closed: nothing."""
    return reply_body(turn.conversation_id, turn.reply_id, "", [], mode, status="interrupted")


@dataclass(slots=True)
class Clock:
    """Milliseconds of each stage."""

    laps: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round((now - self._last) * 1000, 2)
        self._last = now
