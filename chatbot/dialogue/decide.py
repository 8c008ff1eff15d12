"""Decide: small talk or a question, with a model or from the knowledge alone."""

from chatbot.db.sessions import TenantReader
from chatbot.dialogue import policy as policies
from chatbot.dialogue.condense import depends
from chatbot.dialogue.parts import Parts, Plan, Turn
from chatbot.dialogue.smalltalk import small_talk
from chatbot.llm.service import available


async def decide(parts: Parts, session: TenantReader, turn: Turn) -> Plan:
    """Settle how a turn is answered; who owns the conversation was settled when it was accepted."""
    policy = await policies.turn_policy(session)
    talk = small_talk(turn.question)
    if talk:
        return Plan(policy, small_talk=talk[0], reason="small talk")
    follow_up = depends(turn.question, turn.language, turn.history)
    if not available(parts.settings, tenant_smart_mode=policy.smart_mode):
        return Plan(policy, reason="smart mode is off", follow_up=follow_up)
    return Plan(policy, smart=True, follow_up=follow_up)
