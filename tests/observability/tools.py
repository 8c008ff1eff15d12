"""Debian's programs of Prometheus; tests that need one say which package brings it."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "deploy/observability"
PROMETHEUS = ROOT / "prometheus"
_PACKAGES = {"promtool": "prometheus", "prometheus": "prometheus", "amtool": "prometheus-alertmanager"}


def program(name: str) -> str:
    """Return a program's path, or skip the test by the name of its package."""
    found = shutil.which(name)
    if not found:
        pytest.skip(f"needs {name}: apt-get install {_PACKAGES[name]}")
    return found


def run(name: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """Run a program and return what it said and how it ended."""
    return subprocess.run([program(name), *map(str, arguments)], capture_output=True, text=True, check=False)
