"""The pages on deployment: each script, unit, command, setting, target and path that they name exists."""

import re
from pathlib import Path

import pytest

from tests.deploy.program import COMMANDS, SETTINGS
from tests.deploy.rendered import CHART, NAME, ROOT, of_kind

_PAGES = [ROOT / "docs/DEPLOY.md", ROOT / "docs/delivery/vps_deploy.md", CHART / "README.md"]
_MADE_LATER = {"deploy/compose/.env.dev"}
_OF_OTHERS = {"COMPOSE_PROFILES"}


def _found(pattern: str, text: str) -> set[str]:
    return set(re.findall(pattern, text, re.M))


def _variables_of_files() -> set[str]:
    files = (*ROOT.glob("scripts/**/*.sh"), *ROOT.glob("deploy/**/*Caddyfile"))
    return {name for file in files for name in _found(r"\$\{?\$?([A-Z][A-Z_]+)", file.read_text())}


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_what_it_names_exists(page: Path) -> None:
    text = page.read_text()
    for path in _found(r"(?<![\w/.-])((?:scripts|deploy)/[\w./*-]*[\w*])", text) - _MADE_LATER:
        of_a_cluster = re.fullmatch(r"deploy/(xin-.+|REVISION)", path)
        assert of_a_cluster or list(ROOT.glob(path)), path
    deployments = of_kind("Deployment")
    for name in _found(rf"deploy/{NAME}-([a-z-]+)", text):
        assert name in deployments
    assert _found(r"(?:`|bin/|-- |exec \S+ )xin ([a-z-]+)", text) <= COMMANDS
    targets = _found(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text())
    for line in _found(r"(?:^|&& )make ([a-z. /-]+)", text):
        assert {name for name in line.split() if not name.startswith(".")} <= targets, line


def test_the_guides_units_are_there() -> None:
    text = (ROOT / "docs/delivery/vps_deploy.md").read_text()
    named = {
        name for line in _found(r"^systemctl (?:enable|restart).+$", text) for name in _found(r"xin-[a-z-]+", line)
    }
    assert named == {file.stem for file in ROOT.glob("deploy/systemd/*.service")}


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_variables_that_it_names_are_read_somewhere(page: Path) -> None:
    known = set(SETTINGS) | _variables_of_files() | _OF_OTHERS
    codes = " ".join(re.findall(r"`([^`\n]+)`", page.read_text()))
    assert _found(r"\b([A-Z]+(?:_[A-Z]+)+)\b", codes) <= known
