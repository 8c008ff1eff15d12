"""Generate: a model's answer from the passages, checked as it streams; from the knowledge alone when none comes."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import Literal

from chatbot.core.logging import get_logger
from chatbot.dialogue.commit import flush
from chatbot.dialogue.ground import after_no_answer, from_knowledge, no_answer
from chatbot.dialogue.live import LiveReply
from chatbot.dialogue.outlet import Outlet
from chatbot.dialogue.parts import Draft, Found, Parts, Plan, Turn
from chatbot.dialogue.prompts.answer import NO_ANSWER, answer_prompt
from chatbot.dialogue.prompts.phrases import phrase
from chatbot.dialogue.support import refuses
from chatbot.llm.budgets import Ledger
from chatbot.llm.errors import AnswerCut, NoModelAnswer
from chatbot.llm.schemas import ChatMessage, ChatRequest, Purpose

log = get_logger(__name__)

FLUSH_SECONDS = 2.0
"""How often what a long answer says so far is stored, for readers in other processes."""

_HISTORY = 6


async def generate(parts: Parts, turn: Turn, plan: Plan, found: Found, ledger: Ledger, live: LiveReply) -> Draft:
    """Stream a model's answer into the live reply and return what it came to.

    * no model answers: the passages' own sentences;
    * the model finds no answer in the passages: the reply of *ground*;
    * it names no passage: those are named that have its words; else a line says that nothing confirms it, and the
      passages' own sentences follow;
    * it breaks off, or grows too long: what was said stays, a line says so, and the passages' own sentences follow;
    * the reader is gone or the process ends: what was said stays, marked as interrupted.

    Raises:
        GivenBack: the process ends in the middle of a reply that is sent whole or not at all.
    """
    outlet = Outlet(found, live)
    draft = Draft("model")
    try:
        with _interruptible(live):
            async with aclosing(_pieces(parts, turn, plan, found, ledger)) as pieces:
                refused = await _relay(pieces, outlet, parts, turn, live)
        if refused:
            return no_answer(turn, plan)
    except NoModelAnswer as error:
        return _noted(from_knowledge(turn, plan, found), str(error))
    except AnswerCut as error:
        outlet.finish()
        return _noted(_mend(turn, plan, found, live, outlet, "cut"), f"cut: {error}")
    except _Interrupted:
        if live.whole:
            raise GivenBack from None
        draft.interrupted = True
    outlet.finish()
    if not outlet.cited and not draft.interrupted:
        return _noted(_unconfirmed(turn, plan, found, live, outlet), "rests on no passage")
    draft.text, draft.cited = live.text, outlet.cited
    draft.notes["removed"] = outlet.check.removed
    return draft


def _unconfirmed(turn: Turn, plan: Plan, found: Found, live: LiveReply, outlet: Outlet) -> Draft:
    """Go on after a text that no passage confirms; one that says that there is no answer needs no confirmation."""
    if not refuses(live.text):
        return _mend(turn, plan, found, live, outlet, "unconfirmed")
    draft = no_answer(turn, plan)
    if following := after_no_answer(plan):
        live.write(f" {following}")
    draft.text = live.text
    return draft


def _noted(draft: Draft, model: str) -> Draft:
    draft.notes["model"] = model
    return draft


class GivenBack(Exception):
    """A reply that is sent whole or not at all was interrupted; whoever asked for it begins it anew."""


class _Interrupted(Exception):
    """Nobody reads the answer any more, or the process ends."""


@contextmanager
def _interruptible(live: LiveReply) -> Iterator[None]:
    """Let the live reply cancel the block; outside of it the turn is never cancelled in the middle of a step."""
    task = asyncio.current_task()
    assert task
    live.interruptible(task)
    try:
        yield
    except asyncio.CancelledError:
        if not live.abandoned:
            raise
        task.uncancel()
        raise _Interrupted from None
    finally:
        live.interruptible(None)


def prompt_of(turn: Turn, plan: Plan, found: Found) -> tuple[ChatMessage, ...]:
    """The prompt of a turn's answer."""
    return answer_prompt(plan.policy.persona, plan.language, found.passages, turn.history[-_HISTORY:], turn.question)


async def _pieces(parts: Parts, turn: Turn, plan: Plan, found: Found, ledger: Ledger) -> AsyncGenerator[str]:
    request = ChatRequest(prompt_of(turn, plan, found), Purpose.ANSWER, plan.policy.model)
    async with parts.models.stream(request, ledger, fallback_model=plan.policy.fallback_model) as answer:
        async for delta in answer:
            yield delta.text
        if answer.result.finish_reason == "length":
            raise AnswerCut("it is longer than the model may write")


async def _relay(pieces: AsyncIterator[str], outlet: Outlet, parts: Parts, turn: Turn, live: LiveReply) -> bool:
    """Pass pieces on as they come; return whether the model says that there is no answer."""
    opening: str | None = ""
    flushed = time.monotonic()
    async for piece in pieces:
        if opening is not None:
            opening += piece
            if NO_ANSWER.startswith(opening.strip()[: len(NO_ANSWER)]) and len(opening.strip()) < len(NO_ANSWER):
                continue
            if opening.strip().startswith(NO_ANSWER):
                return True
            outlet.feed(opening.lstrip())
            opening = None
        else:
            outlet.feed(piece)
        if time.monotonic() - flushed > FLUSH_SECONDS:
            await flush(parts, turn, live.text)
            flushed = time.monotonic()
    if opening:
        outlet.feed(opening)
    return False


def _mend(
    turn: Turn, plan: Plan, found: Found, live: LiveReply, outlet: Outlet, why: Literal["cut", "unconfirmed"]
) -> Draft:
    """Complete what was shown with sentences of the passages, numbered as those the model was given."""
    quoted = from_knowledge(turn, plan, found)
    if not live.text:
        return quoted
    draft = Draft("model", cited=outlet.cited)
    if not quoted.cited and why == "unconfirmed":
        live.write(f"\n\n{quoted.text}")
        quoted.text = live.text
        return quoted
    if quoted.cited:
        numbers = {number: found.passages.index(passage) + 1 for number, passage in quoted.cited}
        text = quoted.text
        for number in sorted(numbers, reverse=True):
            text = text.replace(f"[{number}]", f"[\x00{numbers[number]}]")
        end = "…" if why == "cut" else ""
        live.write(f"{end}\n\n{phrase(why, plan.language)}\n\n{text.replace(chr(0), '')}")
        for number, passage in quoted.cited:
            if numbers[number] not in outlet.check.cited:
                draft.cited.append((numbers[number], passage))
                live.cite(passage.citation(numbers[number]))
    draft.text = live.text
    return draft
