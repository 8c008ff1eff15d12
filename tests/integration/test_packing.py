"""The wheel holds the package and the front ends that were built, and the platform finds them in it."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.integration


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a wheel is made of, without its history."""
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("chatbot", "scripts"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def wheel(checkout: Path) -> zipfile.ZipFile:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [made] = (checkout / "dist").glob("*.whl")
    return zipfile.ZipFile(made)


def test_the_built_pages_are_in_the_wheel(checkout: Path) -> None:
    for name, file in {"frontend": "index.html", "widget": "embed.js"}.items():
        dist = checkout / "services" / name / "dist"
        dist.mkdir(parents=True)
        (dist / file).write_text(name)
        (dist / ".built").touch()
    with wheel(checkout) as packed:
        assert packed.read("chatbot/built/frontend/index.html") == b"frontend"
        assert packed.read("chatbot/built/widget/embed.js") == b"widget"
        packed.extractall(checkout / "installed")
    found = "from chatbot.apps.pages.folders import built; print(built('frontend') / 'index.html')"
    done = subprocess.run(
        [sys.executable, "-c", found], cwd=checkout / "installed", capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == checkout / "installed/chatbot/built/frontend/index.html"


def test_without_them_there_is_a_wheel_all_the_same(checkout: Path) -> None:
    with wheel(checkout) as packed:
        names = packed.namelist()
    assert "chatbot/apps/orchestrator.py" in names
    assert not [name for name in names if name.startswith("chatbot/built")]
