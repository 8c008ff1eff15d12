"""The systemd units: accepted by systemd, hardened, and true to the program."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.program import COMMANDS, SETTINGS
from tests.deploy.rendered import COMPONENTS, ROOT
from tests.deploy.stand_ins import StandIn, path_with

_FOLDER = ROOT / "deploy/systemd"
_UNITS = sorted(_FOLDER.glob("*.service"))
_CRON = ROOT / "deploy/cron/xin.cron"
_LOGGED = "scripts/logged.sh"
_MOST_EXPOSED = 5.0


def _lines(unit: Path) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z]+)=(.*)$", unit.read_text(), re.M)
    return dict(found)


@pytest.fixture(scope="module")
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if not found:
        pytest.skip("needs systemd-analyze (on Debian: apt-get install systemd)")
    return found


@pytest.mark.parametrize("unit", _UNITS, ids=lambda unit: unit.stem)
def test_systemd_accepts_it(unit: Path, analyze: str, tmp_path: Path) -> None:
    # The program is where it will be installed, not here: a stand-in is verified in its place.
    program = re.search(r"^ExecStart=(\S+)", unit.read_text(), re.M)
    assert program
    there = tmp_path / unit.name
    there.write_text(unit.read_text().replace(program[1], "/bin/true"))
    done = subprocess.run([analyze, "verify", str(there)], capture_output=True, text=True, check=False, timeout=240)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", _UNITS, ids=lambda unit: unit.stem)
def test_it_is_hardened(unit: Path, analyze: str) -> None:
    command = [analyze, "security", "--offline=true", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    level = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert level, done.stderr
    assert float(level[1]) < _MOST_EXPOSED


def test_there_is_one_for_each_process() -> None:
    assert {unit.stem for unit in _UNITS} == {
        *(f"xin-{name}" for name in COMPONENTS if name != "frontend"),
        "xin-all-in-one",
        "xin-caddy",
    }
    for unit in _UNITS:
        if unit.stem == "xin-caddy":
            continue
        lines = _lines(unit)
        program, command = lines["ExecStart"].split()
        assert program == "/opt/xin/.venv/bin/xin"
        assert command in COMMANDS
        assert int(lines["TimeoutStopSec"]) > 30, "a process drains within 30 s"
        named = {each.split("=")[0] for each in lines["Environment"].split()}
        assert named <= set(SETTINGS)


def test_a_process_is_started_again_however_long_its_database_is_away() -> None:
    for unit in _UNITS:
        if unit.stem == "xin-caddy":
            continue
        lines = _lines(unit)
        assert lines["Restart"] == "always"
        # Any limit on starts is reached by an outage that is long enough, and then a person has to start it.
        assert lines["StartLimitIntervalSec"] == "0", unit.name


def test_the_examples_of_settings_are_settings() -> None:
    given = set(re.findall(r"^([A-Z_]+)=", (_FOLDER / "xin.env.example").read_text(), re.M))
    assert given <= set(SETTINGS)
    edge = set(re.findall(r"^([A-Z_]+)=", (_FOLDER / "edge.env.example").read_text(), re.M))
    assert edge <= set(re.findall(r"\{\$([A-Z_]+)", (ROOT / "deploy/caddy/Caddyfile").read_text()))


def test_what_cron_calls_is_there() -> None:
    lines = _CRON.read_text().splitlines()
    called = [path for line in lines for path in re.findall(r"/opt/xin/(scripts/\S+\.sh)", line)]
    assert len(called) >= 6
    for path in called:
        assert (ROOT / path).exists(), path
    for line in lines:
        if re.match(r"[\d*]", line):
            minute, hour, day, month, weekday, user, _ = line.split(None, 6)
            assert all(re.fullmatch(r"[\d*/,-]+", each) for each in (minute, hour, day, month, weekday))
            assert user in ("xin", "root")


@pytest.mark.parametrize("code", [0, 3])
def test_cron_mails_what_failed_and_nothing_else(code: int, tmp_path: Path) -> None:
    jobs = [line.split(None, 6)[6] for line in _CRON.read_text().splitlines() if re.match(r"[\d*]", line)]
    logs = tmp_path / "log"
    logs.mkdir()
    StandIn(tmp_path, "date", {"%u": ("7", 0)})  # a Sunday
    for number, job in enumerate(jobs):
        (script,) = (path for path in re.findall(r"/opt/xin/(scripts/\S+\.sh)", job) if path != _LOGGED)
        root = tmp_path / str(number)
        for path, text in (
            (_LOGGED, (ROOT / _LOGGED).read_text()),
            (script, f"#!/bin/sh\n[ $QUIET ] && [ {code} = 0 ] || echo 'step {number}: WRONG'\nexit {code}\n"),
        ):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
            (root / path).chmod(0o755)
        command = job.replace("\\%", "%").replace("/opt/xin", str(root)).replace("/var/log/xin", str(logs))
        done = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=30,
            env={"PATH": path_with(tmp_path)},
        )  # fmt: skip
        mailed = done.stdout + done.stderr  # cron looks at nothing else
        assert (f"step {number}: WRONG" in mailed) == bool(code), job
        assert bool(mailed) == bool(code), mailed
        logged = "".join(file.read_text() for file in logs.iterdir())
        assert (f"step {number}: WRONG" in logged) != ("QUIET" in job), "whoever looks later finds it"


def test_a_log_that_cannot_be_written_is_mailed_with_what_was_said(tmp_path: Path) -> None:
    command = [str(ROOT / _LOGGED), str(tmp_path / "none" / "operations.log"), "echo", "no backup"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode != 0
    assert "no backup" in done.stderr
    assert str(tmp_path / "none") in done.stderr
