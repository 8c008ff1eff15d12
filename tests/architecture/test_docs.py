"""Docs and public surface: each setting is documented, each documented target and file exists."""

import re
import tomllib
from pathlib import Path

from chatbot.core.settings import Settings

ROOT = Path(__file__).parents[2]


def test_every_setting_is_documented_and_no_other() -> None:
    table = "\n".join(line for line in (ROOT / "docs/SETTINGS.md").read_text().splitlines() if line.startswith("| `"))
    documented = {name for line in table.splitlines() for name in re.findall(r"`([A-Z][A-Z_]+)`", line.split("|")[1])}
    assert documented == {name.upper() for name in Settings.model_fields}


def test_make_targets_named_in_docs_exist() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"`make ([a-z0-9-]+)", page.read_text()):
            assert target in targets, f"{page.name} names `make {target}`"


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_every_make_target_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, flags=re.MULTILINE)
    assert phony
    explained = set(re.findall(r"^([a-z0-9-]+):.*## ", makefile, flags=re.MULTILINE))
    assert set(phony.group(1).split()) <= explained


def test_what_the_platform_needs_is_in_the_lock_that_make_run_installs() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements/run.txt").read_text(), flags=re.MULTILINE))
    assert {re.split(r"[^A-Za-z0-9-]", name, maxsplit=1)[0].lower() for name in wanted} <= locked
