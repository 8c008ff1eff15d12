"""What the tenant's policies in force say about a turn, and what the channel's own voice changes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chatbot.db.sessions import Later, TenantReader
from chatbot.dialogue.parts import TurnPolicy
from chatbot.dialogue.voice import own_voice, spoken_persona
from chatbot.identity.policies.schemas import UNNAMED, OwnVoice, Persona, RetrievalConfig, TenantPolicy
from chatbot.identity.policies.service import Version, in_force
from chatbot.llm.budgets import budget_of


@dataclass(frozen=True, slots=True)
class Policies:
    """What was saved for the tenant, before it is known which channel asks."""

    saved: Version[TenantPolicy]
    config: Version[RetrievalConfig]

    @property
    def max_message_chars(self) -> int:
        """The longest message that is taken."""
        return self.saved.document.guardrails.max_message_chars

    def of(self, voice: Mapping[str, Any] | None) -> TurnPolicy:
        """Return what they say about a turn of a channel whose bot has a voice of its own, if it has."""
        return _turn_policy(self, own_voice(voice))


def turn_policies(session: TenantReader) -> Later[Policies]:
    """Read the policies of the session's tenant; a save holds from the next turn on."""
    return in_force(session, Policies)


def _turn_policy(policies: Policies, own: OwnVoice) -> TurnPolicy:
    policy, config = policies.saved.document, policies.config.document
    persona = spoken_persona(policy.persona, own)
    return TurnPolicy(
        persona=_persona(persona),
        name="" if persona.name == UNNAMED else persona.name,
        languages=policy.languages,
        default_language=policy.default_language,
        smart_mode=policy.smart_mode,
        retrieval=config,
        model=own.model,
        fallback_model=config.fallback_llm,
        budget=budget_of(policy.budgets),
        no_answer=_spoken(policy.no_answer_reply, policy.default_language),
        greeting=_spoken(persona.greeting, policy.default_language),
        offer=_spoken(policy.handoff.message, policy.default_language) if policy.handoff.offer else None,
        hand_over_unanswered=policy.handoff.offer and policy.handoff.when_no_answer == "request",
        blocked=(*policy.guardrails.blocked_topics, *policy.guardrails.blocked_phrases),
        max_message_chars=policy.guardrails.max_message_chars,
        hide_personal_data=policy.guardrails.hide_personal_data,
        versions=(policies.saved.number, policies.config.number),
    )


def _persona(persona: Persona) -> str:
    lines = [f"You are {persona.name}, who answers customers for this company: friendly, precise and honest."]
    lines += [f"Tone: {persona.tone}"] if persona.tone else []
    lines += [persona.instructions] if persona.instructions else []
    return "\n".join(lines)


def _spoken(texts: Mapping[str, str], default_language: str) -> Mapping[str, str]:
    """The tenant's words by language, under "" those of its default language, for all others."""
    return {**texts, "": texts[default_language]} if default_language in texts else texts
