"""Hosts that build from the repository: Railway, a Procfile, Vercel, GitHub's runners."""

import json
import re
import subprocess
import sys
from pathlib import Path

from pydantic import SecretStr

from chatbot.apps.pages.headers import console_headers
from chatbot.core.settings import Settings
from tests.deploy.program import COMMANDS, SETTINGS, answered, orchestrator_paths
from tests.deploy.rendered import ROOT, yaml_of

_VERCEL = json.loads((ROOT / "vercel.json").read_text())


def test_railway_starts_the_api() -> None:
    railway = json.loads((ROOT / "railway.json").read_text())
    assert (ROOT / railway["build"]["dockerfilePath"]).is_file()
    deploy = railway["deploy"]
    assert deploy["healthcheckPath"] in answered("orchestrator")
    assert deploy["drainingSeconds"] > 30
    assert deploy["preDeployCommand"][0].split()[1] in COMMANDS
    assert re.search(r"xin (orchestrator)'", deploy["startCommand"])
    assert set(re.findall(r"([A-Z_]+)=", deploy["startCommand"])) <= set(SETTINGS)


def test_the_procfile_names_commands_that_exist() -> None:
    for line in (ROOT / "Procfile").read_text().splitlines():
        said = re.fullmatch(r"[a-z]+: ((?:[A-Z_]+=\S+ )*)xin ([a-z-]+)", line)
        assert said, line
        assert said[2] in COMMANDS
        assert set(re.findall(r"([A-Z_]+)=", said[1])) <= set(SETTINGS)


def test_vercel_leads_the_console_to_the_api() -> None:
    led = [each["source"].split("/:")[0] for each in _VERCEL["rewrites"]]
    for path in orchestrator_paths():
        if not re.match(r"/(metrics|internal|console|embed\.js|widget|demo|health)|/$", path):
            assert any(path == each or path.startswith(f"{each}/") for each in led), path
    for each in _VERCEL["rewrites"][:-1]:
        assert each["destination"] == f"https://api.example.com{each['source']}"
    assert not [each for each in led if each.startswith(("/metrics", "/internal"))]


def test_vercel_gives_the_console_the_headers_of_the_orchestrator() -> None:
    settings = Settings(gateway_public_url="https://gateway.example.com", log_token=SecretStr("x" * 32))
    given = {each["key"]: each["value"] for each in _VERCEL["headers"][0]["headers"]}
    assert console_headers(settings).items() <= given.items()


def test_the_workflow_is_valid_and_runs_make_ci() -> None:
    file = ROOT / ".github/workflows/ci.yml"
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [checker, "--builtin-schema", "vendor.github-workflows", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout
    runs = [step.get("run", "") for step in yaml_of(".github/workflows/ci.yml")["jobs"]["ci"]["steps"]]
    assert "make ci" in runs
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    text = file.read_text()
    for line in re.findall(r"run: make (.+)$", text, re.M):
        assert set(line.split()) <= targets
    built = yaml_of(".github/workflows/ci.yml")["jobs"]["images"]["strategy"]["matrix"]["target"]
    stages = re.findall(r"^FROM \S+ AS ([a-z-]+)$", (ROOT / "deploy/docker/Dockerfile").read_text(), re.M)
    assert set(built) <= set(stages)
