"""What the tenant's policies in force say about a turn."""

from collections.abc import Mapping

from chatbot.db.sessions import TenantReader
from chatbot.dialogue.parts import TurnPolicy
from chatbot.identity.policies.schemas import UNNAMED, Persona, TenantPolicy
from chatbot.identity.policies.schemas import RetrievalConfig as SavedConfig
from chatbot.identity.policies.service import in_force
from chatbot.knowledge.retrieval.config import RetrievalConfig
from chatbot.llm.budgets import Budget


async def turn_policy(session: TenantReader) -> TurnPolicy:
    """Return the policies of the session's tenant; a save holds from the next turn on."""
    saved, config = await in_force(session)
    return _turn_policy(saved.document, config.document, saved.number, config.number)


def _turn_policy(policy: TenantPolicy, config: SavedConfig, version: int, config_version: int) -> TurnPolicy:
    budgets = policy.budgets
    usd = budgets.usd_per_day
    return TurnPolicy(
        persona=_persona(policy.persona),
        name="" if policy.persona.name == UNNAMED else policy.persona.name,
        languages=policy.languages,
        default_language=policy.default_language,
        smart_mode=policy.smart_mode,
        retrieval=RetrievalConfig.model_validate(config.model_dump()),
        fallback_model=config.fallback_llm,
        budget=Budget(budgets.tokens_per_day, None if usd is None else round(usd * 1_000_000)),
        no_answer=_spoken(policy.no_answer_reply, policy.default_language),
        greeting=_spoken(policy.persona.greeting, policy.default_language),
        offer=_spoken(policy.handoff.message, policy.default_language) if policy.handoff.offer else None,
        blocked=(*policy.guardrails.blocked_topics, *policy.guardrails.blocked_phrases),
        max_message_chars=policy.guardrails.max_message_chars,
        versions=(version, config_version),
    )


def _persona(persona: Persona) -> str:
    lines = [f"You are {persona.name}, who answers customers for this company: friendly, precise and honest."]
    lines += [f"Tone: {persona.tone}"] if persona.tone else []
    lines += [persona.instructions] if persona.instructions else []
    return "\n".join(lines)


def _spoken(texts: Mapping[str, str], default_language: str) -> Mapping[str, str]:
    """The tenant's words by language, under "" those of its default language, for all others."""
    return {**texts, "": texts[default_language]} if default_language in texts else texts
