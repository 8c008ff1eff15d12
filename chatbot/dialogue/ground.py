"""Ground: without evidence nothing is generated; the tenant's own reply, an offer of a person, a knowledge gap."""

from collections.abc import Sequence

from chatbot.dialogue.check import checked
from chatbot.dialogue.condense import says_little
from chatbot.dialogue.evidence import Passage
from chatbot.dialogue.extractive import extract
from chatbot.dialogue.handoff.parts import MAX_REASON, Wish
from chatbot.dialogue.parts import Draft, Found, Plan, Turn
from chatbot.dialogue.prompts.handoff import handoff_phrase
from chatbot.dialogue.prompts.phrases import only_in, phrase
from chatbot.dialogue.units import plain, read_units
from chatbot.knowledge.analysis.words import analyse


def small_talk_reply(plan: Plan) -> Draft:
    """Answer what asks for nothing in the knowledge, such as a greeting: it is neither an answer nor a gap."""
    assert plan.small_talk
    own = plan.policy.greeting if plan.small_talk == "greeting" else None
    said = phrase(plan.small_talk, plan.language, own)
    if plan.small_talk == "who" and plan.policy.name:
        said = f"{phrase('my_name', plan.language).format(name=plan.policy.name)} {said}"
    return Draft("no_answer", said)


def passing_on(turn: Turn, plan: Plan) -> Draft:
    """Pass a visitor who asks for a person on to one."""
    said = handoff_phrase("passing_on", plan.language)
    return Draft("no_answer", said, wish=Wish("visitor", turn.question[:MAX_REASON]))


def no_answer(turn: Turn, plan: Plan) -> Draft:
    """Say in the question's language that there is no answer; offer a person or a ticket, or pass it on to a person."""
    said = phrase("no_answer", plan.language, plan.policy.no_answer)
    if plan.blocked or not plan.policy.hand_over_unanswered:
        return _no_reply(plan, said, gap=not plan.blocked)
    text = f"{said} {handoff_phrase('passing_on', plan.language)}"
    return Draft("no_answer", text, gap=True, wish=Wish("no_answer", turn.question[:MAX_REASON]))


def after_no_answer(plan: Plan) -> str | None:
    """What follows where a text of a model's own says that there is no answer; None: nothing."""
    if plan.policy.hand_over_unanswered:
        return handoff_phrase("passing_on", plan.language)
    return None if plan.policy.offer is None else phrase("offer", plan.language, plan.policy.offer)


def _no_reply(plan: Plan, said: str, *, gap: bool = False) -> Draft:
    offer = plan.policy.offer
    if offer is not None:
        said = f"{said} {phrase('offer', plan.language, offer)}"
    return Draft("no_answer", said, handoff_offered=offer is not None, gap=gap)


def from_knowledge(turn: Turn, plan: Plan, found: Found) -> Draft:
    """Answer with the passages' own sentences, checked; with none to quote, as without evidence.

    Sentences in a language that was neither asked in nor is the answer's come with a word on that.
    A follow-up that brings next to nothing of its own ("why?") finds again what was just said: it is not said twice,
    unless it asks for a thing that stands there by name.
    """
    quoted = extract(found.query, turn.language, found.passages, own=turn.question if plan.follow_up else "")
    if not quoted.text:
        return no_answer(turn, plan)
    text = f"{_foreign(turn, plan, quoted.cited)}{quoted.text}"
    draft = checked(Draft("extractive", text, list(enumerate(quoted.cited, 1))))
    little = plan.follow_up and says_little(turn.question, turn.language)
    if little and _was_said(draft.text, turn) and not _names(draft.text, turn):
        return _no_reply(plan, phrase("nothing_more", plan.language))
    return draft


def _foreign(turn: Turn, plan: Plan, cited: Sequence[Passage]) -> str:
    languages = {passage.language for passage in cited}
    if languages & {turn.language, plan.language}:
        return ""
    return f"{only_in(cited[0].language, plan.language)}\n\n"


def _names(text: str, turn: Turn) -> bool:
    """Whether a text has the words that the question brings of its own."""
    own = analyse(turn.question, turn.language).stems
    return bool(own) and set(own) <= set(analyse(text, turn.language).stems)


def _was_said(text: str, turn: Turn) -> bool:
    """Whether each sentence of a text stands in the last reply."""
    last = next((plain(said.text) for said in reversed(turn.history) if said.role != "visitor"), "")
    return all(unit.text in last for unit in read_units(text))
