"""What a channel's bot has of its own: a name, a tone, words, in place of the tenant's."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from chatbot.core.logging import get_logger
from chatbot.identity.policies.schemas import OwnVoice, Persona

log = get_logger(__name__)


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
