"""Decide: a wish for a person, small talk or a question, with a model or from the knowledge alone."""

import re
from collections.abc import Sequence

from chatbot.dialogue.condense import depends
from chatbot.dialogue.handoff.wish import wants_person
from chatbot.dialogue.parts import Parts, Plan, Turn
from chatbot.dialogue.smalltalk import small_talk
from chatbot.dialogue.tickets import wants_ticket
from chatbot.knowledge.analysis.folding import fold, fold_accents
from chatbot.llm.service import available


def decide(parts: Parts, turn: Turn) -> Plan:
    """Settle how a turn is answered; who owns the conversation was settled when it was accepted."""
    policy = turn.policy
    talk = small_talk(turn.question, turn.language) if turn.question else ("wordless", turn.language)
    language = talk[1] if talk else turn.language
    if policy.languages and language not in policy.languages:
        language = policy.default_language
    if parts.tickets and policy.offer is not None and wants_ticket(turn.question, offered=_offered(turn)):
        return Plan(policy, language, reason="a ticket is asked for", ticket=True)
    if policy.offer is not None and wants_person(turn.question, offered=_offered(turn)):
        return Plan(policy, language, reason="a person is asked for", person=True)
    if talk:
        return Plan(policy, language, small_talk=talk[0], reason="small talk")
    if mentions(turn.question, policy.blocked):
        return Plan(policy, language, reason="the tenant keeps away from this", blocked=True)
    follow_up = depends(turn.question, turn.language, turn.history)
    if not available(parts.settings, tenant_smart_mode=policy.smart_mode):
        return Plan(policy, language, reason="smart mode is off", follow_up=follow_up)
    return Plan(policy, language, smart=True, follow_up=follow_up)


def _offered(turn: Turn) -> bool:
    """Whether the last thing said to the visitor was an offer of a person."""
    return bool(turn.history) and turn.history[-1].offered


def mentions(text: str, blocked: Sequence[str]) -> bool:
    """Whether a text holds one of the blocked topics or phrases, as whole words, however they are spelt."""
    if not blocked:
        return False
    words = f" {_words(text)} "
    return any(f" {_words(one)} " in words for one in blocked if one.strip())


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", fold_accents(fold(text))))
