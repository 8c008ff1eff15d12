"""Credentials as they are shown, masked, and what becomes of a mask that a form gives back."""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import SecretStr

from chatbot.channels.contract import Credentials
from chatbot.channels.errors import SecretNeeded
from chatbot.core.errors import FieldError

_MASK = "••••"
_ANEW = "must be given anew, for it would be sent to another place ({})"


def masked(credentials: Credentials) -> dict[str, Any]:
    """Return credentials to be looked at: of a secret no more than its last four characters."""
    return {name: _shown(value) for name, value in credentials}


def is_mask(text: str) -> bool:
    """Whether a secret is one as it is shown."""
    return text.startswith(_MASK)


def unmasked(given: Mapping[str, Any], stored: Credentials) -> tuple[dict[str, Any], list[str]]:
    """Return what was given with the stored secrets where a form gave back the mask that it was shown, and which."""
    secret = {name: value for name, value in stored if isinstance(value, SecretStr) and value}
    kept = [name for name, value in given.items() if name in secret and value == _shown(secret[name])]
    return {**given, **{name: secret[name] for name in kept}}, kept


def require_known(stored: Credentials, meant: Credentials, kept: Collection[str]) -> None:
    """Refuse to send secrets that were only given as they are shown to another place than before.

    Raises:
        SecretNeeded: names them.
    """
    before, after = dict(stored), dict(meant)
    ways = {name: [each for each in stored.way_of(name) if before[each] != after[each]] for name in kept}
    errors = [
        FieldError(f"credentials.{name}", _ANEW.format(", ".join(changed))) for name, changed in ways.items() if changed
    ]
    if errors:
        raise SecretNeeded("; ".join(f"{each.field}: {each.message}" for each in errors), errors=errors)


def sent_to(credentials: Credentials) -> set[str]:
    """Return the fields that say where the secrets that there are go."""
    present = [name for name, value in credentials if isinstance(value, SecretStr) and value]
    return {field for name in present for field in credentials.way_of(name)}


def _shown(value: Any) -> Any:
    if not isinstance(value, SecretStr):
        return value
    plain = value.get_secret_value()
    return (_MASK + plain[-4:] if len(plain) >= 16 else _MASK) if plain else ""
