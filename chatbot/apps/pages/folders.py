"""Where the built front ends are: inside an installed wheel, or beside the package in a checkout."""

from pathlib import Path
from typing import Literal

import chatbot

_PACKAGE = Path(chatbot.__file__).parent


def built(name: Literal["frontend", "widget"]) -> Path:
    """Return the folder of a front end; where nobody has built it, it does not exist."""
    packed = _PACKAGE / "built" / name
    return packed if packed.is_dir() else _PACKAGE.parent / "services" / name / "dist"
