"""Ground: without evidence nothing is generated; the tenant's own reply, an offer of a person, a knowledge gap."""

from chatbot.dialogue.extractive import extract
from chatbot.dialogue.parts import Draft, Found, Plan, Turn
from chatbot.dialogue.prompts.phrases import phrase


def small_talk_reply(plan: Plan) -> Draft:
    """Answer a greeting, thanks or a goodbye: nothing was asked, so it is neither an answer nor a gap."""
    assert plan.small_talk
    own = plan.policy.greeting if plan.small_talk == "greeting" else None
    return Draft("no_answer", phrase(plan.small_talk, plan.language, own))


def no_answer(plan: Plan) -> Draft:
    """Say in the question's language that there is no answer, and offer a person or a ticket."""
    policy = plan.policy
    said = phrase("no_answer", plan.language, policy.no_answer)
    if policy.offer is not None:
        said = f"{said} {phrase('offer', plan.language, policy.offer)}"
    return Draft("no_answer", said, handoff_offered=policy.offer is not None, gap=not plan.blocked)


def from_knowledge(turn: Turn, plan: Plan, found: Found) -> Draft:
    """Answer with the passages' own sentences; with none to quote, as without evidence."""
    quoted = extract(found.query, turn.language, found.passages)
    if not quoted.text:
        return no_answer(plan)
    return Draft("extractive", quoted.text, list(enumerate(quoted.cited, 1)))
