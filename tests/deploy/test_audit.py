"""The audit of dependencies: it passes only where a database has answered for every package."""

import json
from pathlib import Path

import pytest

from scripts import audit
from tests.deploy.stand_ins import StandIn

_CLEAN = {"dependencies": [{"name": "aiohttp", "version": "3.14.5", "vulns": []}], "fixes": []}
_FLAWED = {
    "dependencies": [
        {"name": "aiohttp", "version": "3.0", "vulns": [{"id": "GHSA-1", "fix_versions": ["3.1"], "description": ""}]}
    ]
}
_SKIPPED = {"dependencies": [{"name": "aiohttp", "skip_reason": "Dependency not found on PyPI"}]}
_NPM = {"advisories": {}, "metadata": {}}
_NPM_FLAWED = {
    "advisories": {
        "1": {"module_name": "vite", "vulnerable_versions": "<9", "github_advisory_id": "GHSA-2", "severity": "high"}
    }
}


@pytest.mark.parametrize(
    ("pypi", "npm", "code", "words"),
    [
        (_CLEAN, _NPM, 0, "no known vulnerability"),
        (_FLAWED, _NPM, 1, "VULNERABLE  aiohttp 3.0: GHSA-1, mended in 3.1"),
        (_CLEAN, _NPM_FLAWED, 1, "VULNERABLE  vite <9: GHSA-2 (high)"),
        (_SKIPPED, _NPM, 3, "1 of 1 packages are not known there"),
        (_CLEAN, {"error": {"code": "ECONNREFUSED"}}, 3, "ECONNREFUSED"),
        (None, _NPM, 3, "PyPI's advisories"),
        (_CLEAN, None, 3, "npm's advisories"),
    ],
)
def test_it_knows_or_says_that_it_does_not(
    pypi: object, npm: object, code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    StandIn(tmp_path, "pip-audit", {"": (json.dumps(pypi), 0) if pypi else ("", 1)})
    StandIn(tmp_path, "pnpm", {"": (json.dumps(npm), 0) if npm else ("", 1)})
    monkeypatch.setattr(audit, "BIN", tmp_path)
    assert audit.main() == code
    assert words in capsys.readouterr().out


def test_a_server_without_the_tools_of_development_is_told_and_does_not_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "BIN", tmp_path)
    StandIn(tmp_path, "pnpm", {"": (json.dumps(_NPM), 0)})
    assert audit.main() == 3
    capsys.readouterr()
    assert audit.main(["--installed"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "SKIPPED     pip-audit is not installed (make .venv/.dev, make frontends)"
    assert "no known vulnerability" not in said[1]
    StandIn(tmp_path, "pnpm", {"": (json.dumps(_NPM_FLAWED), 0)})
    assert audit.main(["--installed"]) == 1
    assert "VULNERABLE  vite" in capsys.readouterr().out
    StandIn(tmp_path, "pnpm", {"": ("", 1)})
    assert audit.main(["--installed"]) == 3, "a tool that is there and gets no answer is no pass"
    assert "-m scripts.audit --installed" in (audit.ROOT / "scripts/monthly-maintenance.sh").read_text()
