"""The pages on deployment: each script, unit, command, setting, target and path that they name exists."""

import re
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.deploy.program import COMMANDS, SETTINGS
from tests.deploy.rendered import CHART, NAME, ROOT, of_kind
from tests.ports import free_port

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


def test_a_release_is_looked_at_when_it_is_ready() -> None:
    """`systemctl restart` is back before the process listens, and answers 503 while it drains."""
    text = (ROOT / "docs/delivery/vps_deploy.md").read_text()
    restart, wait, check = re.findall(r"^(?:systemctl restart|curl|scripts/health-check).+$", text, re.M)[-3:]
    assert (restart.split()[0], wait.split()[0]) == ("systemctl", "curl")
    assert check.startswith("scripts/health-check.sh")
    port, looks = free_port(), iter([503])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(next(looks, 200) if self.path == "/health/ready" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with subprocess.Popen(["bash", "-c", wait.replace(":8000/", f":{port}/")]) as waiting:
        time.sleep(1.5)
        assert waiting.poll() is None, "it did not wait for a process that does not listen yet"
        with HTTPServer(("127.0.0.1", port), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            assert waiting.wait(timeout=30) == 0
            server.shutdown()
            thread.join()


def test_a_smoke_test_in_the_runbook_names_the_release_of_its_section() -> None:
    sections = re.split(r"^#{2,3} ", (ROOT / "docs/RUNBOOK.md").read_text(), flags=re.M)
    asked = 0
    for section in sections:
        for release in re.findall(r"`(?:RELEASE=(\S+) )?scripts/smoke_test\.sh production`", section):
            asked += 1
            assert f"deploy/{release or 'xin-platform'}-xin-platform-" in section, section.splitlines()[0]
    assert asked
