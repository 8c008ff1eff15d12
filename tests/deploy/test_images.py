"""The Dockerfile: linted, a target for each process that chart and compose know, its sources there, its doors right.

No image is built here (that needs a Docker daemon); the CI workflow builds each.
"""

import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import yaml

from tests.deploy.program import COMMANDS
from tests.deploy.rendered import COMPONENTS, ROOT
from tests.deploy.test_chart import FACTS

_FILE = ROOT / "deploy/docker/Dockerfile"
_TEXT = re.sub(r"\\\n", " ", "\n".join(line for line in _FILE.read_text().splitlines() if not line.startswith("#")))
_STAGES = dict(re.findall(r"^FROM \S+ AS ([a-z-]+)\n(.*?)(?=^FROM |\Z)", _TEXT, re.M | re.S))


def test_it_is_linted() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, _FILE], capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout


def test_each_process_has_a_target() -> None:
    assert set(COMPONENTS) <= set(_STAGES)
    assert list(_STAGES)[-1] == "orchestrator", "what is built when no target is named"
    for name in COMPONENTS:
        ports = re.search(r"^EXPOSE (.+)$", _STAGES[name], re.M)
        assert ports
        assert {int(port) for port in ports[1].split()} == set(FACTS[name]["ports"].values())
        asked = re.search(r"HEALTHCHECK .+(http://127\.0\.0\.1:(\d+)(/[a-z/]*))", _STAGES[name])
        assert asked
        probe = FACTS[name]["probe"]
        assert int(asked[2]) == FACTS[name]["ports"][probe["port"]]
        assert asked[3] == probe["ready"]


def test_the_commands_exist() -> None:
    for name in (*COMPONENTS, "all-in-one"):
        if name != "frontend":
            command = re.search(r'^CMD \["xin", "([a-z-]+)"\]', _STAGES[name], re.M)
            assert command
            assert command[1] in COMMANDS


def test_nobody_runs_as_root_and_signals_arrive() -> None:
    for stage in ("base", "frontend"):
        assert re.search(r"^USER 10001:10001$", _STAGES[stage], re.M)
    assert 'ENTRYPOINT ["tini", "--"]' in _STAGES["base"]


def test_what_is_copied_is_there_and_let_in() -> None:
    wanted = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    sources = re.findall(r"^COPY (?!--from)(?:--chmod=\d+ )?(.+) \S+$", _TEXT, re.M)
    for source in (each.rstrip("/") for line in sources for each in line.split()):
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source, pattern) or source.startswith(f"{pattern}/") for pattern in wanted), source
    for pattern in wanted:
        assert (ROOT / pattern).exists()
    assert not any(fnmatch(".env", pattern) for pattern in wanted)


def test_versions_are_pinned() -> None:
    images = re.findall(r"^ARG \w+_IMAGE=(\S+)$", _TEXT, re.M)
    composed = [yaml.safe_load((ROOT / name).read_text())["services"].values() for name in _COMPOSE]
    images += [each["image"] for services in composed for each in services if "$" not in each["image"]]
    for image in images:
        assert re.search(r":[v\w.-]*\d+\.\d+|:RELEASE\.\d{4}", image), image


_COMPOSE = ("docker-compose.yml", "deploy/observability/docker-compose.yml")
