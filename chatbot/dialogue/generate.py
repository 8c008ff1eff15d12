"""Generate: a model's answer from the passages, checked as it streams; from the knowledge alone when none comes."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager

from chatbot.core.logging import get_logger
from chatbot.dialogue.check import AnswerCheck, links_of
from chatbot.dialogue.commit import flush
from chatbot.dialogue.ground import from_knowledge, no_answer
from chatbot.dialogue.live import LiveReply
from chatbot.dialogue.parts import Draft, Found, Parts, Plan, Turn
from chatbot.dialogue.prompts.answer import NO_ANSWER, answer_prompt
from chatbot.dialogue.prompts.phrases import phrase
from chatbot.llm.budgets import Ledger
from chatbot.llm.errors import AnswerCut, NoModelAnswer
from chatbot.llm.schemas import ChatRequest, Purpose

log = get_logger(__name__)

FLUSH_SECONDS = 2.0
"""How often what a long answer says so far is stored, for readers in other processes."""

_HISTORY = 6


async def generate(parts: Parts, turn: Turn, plan: Plan, found: Found, ledger: Ledger, live: LiveReply) -> Draft:
    """Stream a model's answer into the live reply and return what it came to.

    * no model answers: the passages' own sentences;
    * the model finds no answer in the passages: the reply of *ground*;
    * it breaks off: what was said stays, a line says so, and the passages' own sentences follow;
    * the reader is gone or the process ends: what was said stays, marked as interrupted.
    """
    check = _check(found)
    draft = Draft("model")
    try:
        with _interruptible(live):
            async with aclosing(_pieces(parts, turn, plan, found, ledger)) as pieces:
                refused = await _relay(pieces, check, parts, turn, found, live)
        if refused:
            return no_answer(plan)
    except NoModelAnswer as error:
        draft = from_knowledge(turn, plan, found)
        draft.notes["model"] = str(error)
        return draft
    except AnswerCut as error:
        draft.notes["model"] = f"cut: {error}"
        _finish(check, found, live)
        return _mend(turn, plan, found, live, check, draft)
    except _Interrupted:
        draft.interrupted = True
    _finish(check, found, live)
    draft.text = live.text
    draft.cited = [(number, found.passages[number - 1]) for number in check.cited]
    draft.notes["removed"] = check.removed
    return draft


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


def _check(found: Found) -> AnswerCheck:
    return AnswerCheck(len(found.passages), links_of(found.passages))


async def _pieces(parts: Parts, turn: Turn, plan: Plan, found: Found, ledger: Ledger) -> AsyncGenerator[str]:
    prompt = answer_prompt(plan.policy.persona, plan.language, found.passages, turn.history[-_HISTORY:], turn.question)
    request = ChatRequest(prompt, Purpose.ANSWER)
    async with parts.models.stream(request, ledger, fallback_model=plan.policy.fallback_model) as answer:
        async for delta in answer:
            yield delta.text


async def _relay(
    pieces: AsyncIterator[str], check: AnswerCheck, parts: Parts, turn: Turn, found: Found, live: LiveReply
) -> bool:
    """Pass pieces on as they are checked; return whether the model says that there is no answer."""
    opening: str | None = ""
    flushed = time.monotonic()
    async for piece in pieces:
        if opening is not None:
            opening += piece
            if NO_ANSWER.startswith(opening.strip()[: len(NO_ANSWER)]) and len(opening.strip()) < len(NO_ANSWER):
                continue
            if opening.strip().startswith(NO_ANSWER):
                return True
            _show(check.feed(opening.lstrip()), check, found, live)
            opening = None
        else:
            _show(check.feed(piece), check, found, live)
        if time.monotonic() - flushed > FLUSH_SECONDS:
            await flush(parts, turn, live.text)
            flushed = time.monotonic()
    if opening:
        _show(check.feed(opening), check, found, live)
    return False


def _show(text: str, check: AnswerCheck, found: Found, live: LiveReply) -> None:
    live.write(text)
    for number in check.cited[len(live.citations) :]:
        live.cite(found.passages[number - 1].citation(number))


def _finish(check: AnswerCheck, found: Found, live: LiveReply) -> None:
    _show(check.finish(), check, found, live)


def _mend(turn: Turn, plan: Plan, found: Found, live: LiveReply, check: AnswerCheck, draft: Draft) -> Draft:
    """Complete an answer that broke off with sentences of the passages, numbered as those the model was given."""
    quoted = from_knowledge(turn, plan, found)
    draft.cited = [(number, found.passages[number - 1]) for number in check.cited]
    if quoted.cited:
        numbers = {number: found.passages.index(passage) + 1 for number, passage in quoted.cited}
        text = quoted.text
        for number in sorted(numbers, reverse=True):
            text = text.replace(f"[{number}]", f"[\x00{numbers[number]}]")
        live.write(f"…\n\n{phrase('cut', plan.language)}\n\n{text.replace(chr(0), '')}")
        for number, passage in quoted.cited:
            if numbers[number] not in check.cited:
                check.cited.append(numbers[number])
                draft.cited.append((numbers[number], passage))
                live.cite(passage.citation(numbers[number]))
    draft.text = live.text
    return draft
