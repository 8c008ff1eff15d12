"""Known vulnerabilities of what Xin is made of: the locks, asked of the databases of PyPI and npm.

Exit 0: none known. Exit 1: each is named. Exit 3: a database cannot be reached, so nothing is known; that is no pass.
With `--installed` only those are asked whose tool is here: a server has no pip-audit; `make .venv/.dev` brings it.

Run by `make audit`, and with `--installed` by scripts/monthly-maintenance.sh.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
UNREACHABLE = 3

_LOCKS = ("requirements/run.txt",)
_SERVICES = ("frontend", "widget")
_SECONDS = 300


class Unreachable(Exception):
    """A database gave no answer; the message says which and why."""


class NoTool(Unreachable):
    """What asks a database is not installed."""


def python_findings(lock: str) -> list[str]:
    """Return what is known of the packages of a lock.

    Raises:
        Unreachable: the database of PyPI gave no answer.
    """
    command = [
        str(BIN / "pip-audit"), "--requirement", lock, "--disable-pip", "--require-hashes", "--progress-spinner", "off",
        "--format", "json",
    ]  # fmt: skip
    done = _run(command, ROOT)
    try:
        found = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise Unreachable(f"PyPI's advisories for {lock}: {_last_line(done.stderr)}") from None
    # A database that knows none of the packages (a mirror's, say) finds "no vulnerability" too.
    skipped = [each["name"] for each in found["dependencies"] if "skip_reason" in each]
    if skipped:
        count = f"{len(skipped)} of {len(found['dependencies'])}"
        raise Unreachable(f"PyPI's advisories for {lock}: {count} packages are not known there ({skipped[0]}, …)")
    return [
        f"{each['name']} {each['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'no release'}"
        for each in found["dependencies"]
        for flaw in each["vulns"]
    ]


def npm_findings(service: str) -> list[str]:
    """Return what is known of the packages that a front end ships.

    Raises:
        Unreachable: the database of npm gave no answer.
    """
    done = _run([str(BIN / "pnpm"), "audit", "--prod", "--json"], ROOT / "services" / service)
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise Unreachable(f"npm's advisories for {service}: {_last_line(done.stdout + done.stderr)}") from None
    if "advisories" not in found:
        raise Unreachable(f"npm's advisories for {service}: {str(found.get('error', found))[:200]}")
    return [
        f"{each['module_name']} {each['vulnerable_versions']}: {each['github_advisory_id']} ({each['severity']})"
        for each in found["advisories"].values()
    ]


def _run(command: Sequence[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except FileNotFoundError:
        raise NoTool(f"{Path(command[0]).name} is not installed (make .venv/.dev, make frontends)") from None
    except subprocess.TimeoutExpired:
        raise Unreachable(f"{Path(command[0]).name}: no answer within {_SECONDS} s") from None


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "no answer"


def main(given: Sequence[str] = ()) -> int:
    """Ask both databases; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--installed", action="store_true", help="pass over databases whose tool is not installed")
    only_installed = parser.parse_args(given).installed
    findings: list[str] = []
    unknown: list[str] = []
    skipped: set[str] = set()
    asked = [(python_findings, lock) for lock in _LOCKS] + [(npm_findings, name) for name in _SERVICES]
    for ask, what in asked:
        try:
            findings += ask(what)
        except Unreachable as error:
            if only_installed and isinstance(error, NoTool):
                skipped.add(str(error))
            else:
                unknown.append(str(error))
    for line in findings:
        print(f"VULNERABLE  {line}")
    for line in unknown:
        print(f"NOT KNOWN   {line}")
    for line in sorted(skipped):
        print(f"SKIPPED     {line}")
    if findings:
        return 1
    if unknown:
        print("audit: a database cannot be reached from here, so this is no pass")
        return UNREACHABLE
    print(
        "audit: no known vulnerability" if not skipped else "audit: not all was asked; `make audit` of a checkout asks"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
