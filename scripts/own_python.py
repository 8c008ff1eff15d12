"""Run a script of this folder by the checkout's own Python, whichever one it was started with.

    import own_python  # isort: skip

is the first import of a program that operators call by its name (`scripts/replay_webhook.py`): where what it needs is
not installed for the interpreter that `/usr/bin/env python3` found, it goes on in `.venv` of the checkout. Standard
library only.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_VENV = _ROOT / ".venv"
_NEEDED = ("chatbot", "aiohttp")


def _go_on_there() -> None:
    if all(find_spec(name) for name in _NEEDED):
        return
    python = _VENV / "bin/python"
    if python.exists() and Path(sys.prefix).resolve() != _VENV.resolve():
        os.execv(python, [str(python), *sys.argv])  # noqa: S606 - the same program, by another interpreter
    sys.exit(f"xin: what this needs is not installed; `make .venv/.run` in {_ROOT} does that")


_go_on_there()
