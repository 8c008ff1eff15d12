"""The keys of a process, to sign and to encrypt: from the settings; in development made once, below the data folder."""

import fcntl
import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from chatbot.core.clock import utcnow
from chatbot.core.crypto import Vault, random_key, random_secret
from chatbot.core.errors import Conflict
from chatbot.core.folders import anothers
from chatbot.core.settings import ConfigurationError, Settings
from chatbot.identity.tokens import ROTATION_OVERLAP, TokenKeys

_NAMES = ("admin_jwt_secret", "embed_jwt_secret")
SECRETS_FILE = "secrets.json"

Change = Callable[[dict[str, str]], dict[str, str]]


def load_keys(settings: Settings, *, overlap: timedelta = ROTATION_OVERLAP) -> TokenKeys:
    """Return the keys that sign and verify tokens.

    A secret that is not set (possible in development only) is generated once into `<data_dir>/secrets.json`, which
    only its owner can read. The previous ones verify for `overlap` from now: a rotation is a restart, and
    `previous_keys.until_first_seen` knows of earlier ones.

    Raises:
        ConfigurationError: both secrets are the same value, or the file of secrets cannot be used.
    """
    configured = {name: value for name in _NAMES if (value := _plain(getattr(settings, name)))}
    missing = [name for name in _NAMES if name not in configured]
    kept = _kept_secrets(settings, missing) if missing else {}
    values = {**kept, **configured}
    admin, embed = values["admin_jwt_secret"], values["embed_jwt_secret"]
    if admin == embed:
        raise ConfigurationError("EMBED_JWT_SECRET: must differ from ADMIN_JWT_SECRET")
    return TokenKeys(
        admin=admin,
        embed=embed,
        admin_previous=_previous(settings, kept, "admin_jwt_secret", overlap),
        embed_previous=_previous(settings, kept, "embed_jwt_secret", overlap),
        previous_until=utcnow() + overlap,
    )


def rotate_kept(settings: Settings, name: str) -> bool:
    """Make a new signing key where keys are generated; the old one verifies for a quarter of an hour more.

    Args:
        name: `admin_jwt_secret` or `embed_jwt_secret`.

    Returns:
        False when the key is configured, so that only whoever configures it can change it.

    Raises:
        Conflict: it was rotated less than a quarter of an hour ago; the key that processes may sign with until their
            restart would be forgotten.
    """
    if getattr(settings, name):
        return False
    _kept_secrets(settings, [name], change=lambda kept: _rotated(kept, name))
    return True


def _rotated(kept: dict[str, str], name: str) -> dict[str, str]:
    if _is_young(kept, name, ROTATION_OVERLAP):
        again = datetime.fromisoformat(kept[f"{name}_rotated_at"]) + ROTATION_OVERLAP
        raise Conflict(
            f"{name.upper()} was rotated a moment ago: one more would end at once what running processes sign; "
            f"restart them, and rotate again after {again:%H:%M:%S} UTC"
        )
    changed = {name: random_secret(), f"{name}_previous": kept[name], f"{name}_rotated_at": utcnow().isoformat()}
    return {**kept, **changed}


def add_kept_encryption_key(settings: Settings) -> bool:
    """Put a new encryption key in front of the generated ones; False when the keys are configured."""
    if settings.xin_encryption_keys:
        return False
    _kept_secrets(settings, ["xin_encryption_keys"])
    _kept_secrets(settings, [], change=lambda kept: {
        **kept, "xin_encryption_keys": f"{random_key()},{kept['xin_encryption_keys']}"
    })  # fmt: skip
    return True


def retire_kept_encryption_keys(settings: Settings) -> bool:
    """Leave only the newest of the generated encryption keys; False when the keys are configured."""
    if settings.xin_encryption_keys:
        return False
    _kept_secrets(settings, [], change=lambda kept: {
        **kept, "xin_encryption_keys": kept["xin_encryption_keys"].partition(",")[0]
    })  # fmt: skip
    return True


def load_vault(settings: Settings) -> Vault:
    """Return what seals and opens secrets at rest.

    `XIN_ENCRYPTION_KEYS` holds Fernet keys, newest first, separated by commas; unset in development one is generated.

    Raises:
        ConfigurationError: a key is no Fernet key.
    """
    configured = _plain(settings.xin_encryption_keys)
    keys = configured or _kept_secrets(settings, ["xin_encryption_keys"])["xin_encryption_keys"]
    try:
        return Vault([key.strip() for key in keys.split(",") if key.strip()])
    except (ValueError, IndexError):
        raise ConfigurationError(
            "XIN_ENCRYPTION_KEYS: must be Fernet keys (32 random bytes in URL-safe base64), separated by commas"
        ) from None


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _previous(settings: Settings, kept: dict[str, str], name: str, overlap: timedelta) -> str | None:
    """The key before this one: as configured, or the one kept at a rotation of less than `overlap` ago."""
    if configured := _plain(getattr(settings, f"{name}_previous")):
        return configured
    return kept.get(f"{name}_previous") if _is_young(kept, name, overlap) else None


def _is_young(kept: dict[str, str], name: str, overlap: timedelta) -> bool:
    rotated = kept.get(f"{name}_rotated_at")
    return rotated is not None and utcnow() - datetime.fromisoformat(rotated) < overlap


def _kept_secrets(settings: Settings, names: list[str], *, change: Change | None = None) -> dict[str, str]:
    """Read the file of secrets, add what is missing, and change it; several processes may start at once."""
    file = settings.data_dir / SECRETS_FILE
    if file.parent.exists() and (words := anothers(file.parent)):
        raise ConfigurationError(f"XIN_DATA_DIR: {words}")
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = _read(file)
        wanted = {**{name: _made(name) for name in names if name not in kept}, **kept}
        wanted = change(wanted) if change else wanted
        if wanted != kept:
            _write(wanted, file)
        return wanted
    finally:
        os.close(lock)


def _made(name: str) -> str:
    return random_key() if name == "xin_encryption_keys" else random_secret()


def _read(file: Path) -> dict[str, str]:
    try:
        kept = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"XIN_DATA_DIR: {file} cannot be read ({error}); set ADMIN_JWT_SECRET") from None
    return {str(name): str(value) for name, value in kept.items()}


def _write(secrets: dict[str, str], file: Path) -> None:
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as sink:
        json.dump(secrets, sink)
        sink.flush()
        os.fsync(sink.fileno())
    fresh.replace(file)
