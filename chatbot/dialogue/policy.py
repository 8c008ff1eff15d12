"""What the tenant's policies in force say about a turn, and what the channel's own voice changes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from chatbot.core.logging import get_logger
from chatbot.db.sessions import TenantReader
from chatbot.dialogue.parts import TurnPolicy
from chatbot.identity.policies.schemas import UNNAMED, OwnVoice, Persona, TenantPolicy
from chatbot.identity.policies.schemas import RetrievalConfig as SavedConfig
from chatbot.identity.policies.service import Version, in_force
from chatbot.knowledge.retrieval.config import RetrievalConfig
from chatbot.llm.budgets import Budget

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Policies:
    """What was saved for the tenant, before it is known which channel asks."""

    saved: Version[TenantPolicy]
    config: Version[SavedConfig]

    @property
    def max_message_chars(self) -> int:
        """The longest message that is taken."""
        return self.saved.document.guardrails.max_message_chars

    def of(self, voice: Mapping[str, Any] | None) -> TurnPolicy:
        """Return what they say about a turn of a channel whose bot has a voice of its own, if it has."""
        return _turn_policy(self, own_voice(voice))


async def turn_policies(session: TenantReader) -> Policies:
    """Return the policies of the session's tenant; a save holds from the next turn on."""
    return Policies(*await in_force(session))


def own_voice(stored: Mapping[str, Any] | None) -> OwnVoice:
    """Read what a channel stores of its bot; what a newer release does not accept any more is the tenant's again."""
    try:
        return OwnVoice.model_validate(stored or {})
    except ValidationError as error:
        log.warning("a channel's bot has a voice that is not accepted any more", problems=error.error_count())
        return OwnVoice()


def spoken_persona(persona: Persona, own: OwnVoice) -> Persona:
    """Return the persona of a channel: the tenant's, with what the channel has of its own."""
    given = {
        "name": own.display_name,
        "instructions": own.instructions,
        "tone": own.tone,
        "greeting": own.greeting,
    }
    return persona.model_copy(update={name: value for name, value in given.items() if value is not None})


def _turn_policy(policies: Policies, own: OwnVoice) -> TurnPolicy:
    policy, config = policies.saved.document, policies.config.document
    persona = spoken_persona(policy.persona, own)
    budgets = policy.budgets
    usd = budgets.usd_per_day
    return TurnPolicy(
        persona=_persona(persona),
        name="" if persona.name == UNNAMED else persona.name,
        languages=policy.languages,
        default_language=policy.default_language,
        smart_mode=policy.smart_mode,
        retrieval=RetrievalConfig.model_validate(config.model_dump()),
        model=own.model,
        fallback_model=config.fallback_llm,
        budget=Budget(budgets.tokens_per_day, None if usd is None else round(usd * 1_000_000)),
        no_answer=_spoken(policy.no_answer_reply, policy.default_language),
        greeting=_spoken(persona.greeting, policy.default_language),
        offer=_spoken(policy.handoff.message, policy.default_language) if policy.handoff.offer else None,
        blocked=(*policy.guardrails.blocked_topics, *policy.guardrails.blocked_phrases),
        max_message_chars=policy.guardrails.max_message_chars,
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
