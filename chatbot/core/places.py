"""Where settings and data are when nobody names a place, here or in the checkout; how a file of settings is read."""

import re
from pathlib import Path

from dotenv import dotenv_values

DOTENV = Path(".env")
_DATA = Path(".xin")
_SECRETS = "secrets."
_COMMENT_BEHIND = re.compile(r"""\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*[^'"#\s].*\s#""")


class ConfigurationError(Exception):
    """The settings are not usable; the message names each variable."""


def checkout() -> Path | None:
    """Return the folder of the checkout that this code is run from; None where it is installed as a package."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "alembic.ini").is_file() else None


def usual_env_file() -> Path:
    """Return the file of settings that is read when none is named: `.env` here, else the checkout's."""
    root = checkout()
    return DOTENV if root is None or DOTENV.is_file() else root / DOTENV


def usual_data_dir() -> Path:
    """Return the data folder that is used when none is named: that of a platform which runs here, else the checkout's.

    Secrets alone are no platform: commands that were called elsewhere used to leave them behind.
    """
    root = checkout()
    is_here = _DATA.is_dir() and any(not entry.name.startswith(_SECRETS) for entry in _DATA.iterdir())
    return _DATA if root is None or is_here else root / _DATA


def read_env_file(file: Path) -> dict[str, str | None]:
    """Return a file's settings as systemd reads them; nothing where there is no such file.

    Relative folders in the checkout's file are the checkout's, wherever a command is called.

    Raises:
        ConfigurationError: a line means one thing to systemd and another here.
    """
    if not file.is_file():
        return {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if found := _COMMENT_BEHIND.match(line):
            raise ConfigurationError(
                f"{found[1]}: in {file.name} put the value in quotes where the # is part of it, the comment on a "
                "line of its own where it is not: systemd and this program would read two different values"
            )
    values = dict(dotenv_values(file, interpolate=False))  # as systemd: a $ is a $
    root = checkout()
    if root is None or file != root / DOTENV:
        return values
    return {name: _below(root, value) if name.upper().endswith("_DIR") else value for name, value in values.items()}


def _below(root: Path, value: str | None) -> str | None:
    return str(root / Path(value).expanduser()) if value else value
