"""The compose files: valid by the specification's schema, and true to the program, the images and the chart."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from chatbot.core.settings import Settings
from tests.deploy.program import COMMANDS, SETTINGS
from tests.deploy.rendered import COMPONENTS, ROOT, Json, yaml_of
from tests.deploy.test_chart import FACTS
from tests.deploy.test_images import _STAGES

_FILES = ("docker-compose.yml", "deploy/observability/docker-compose.yml")
_OURS_ELSEWHERE = {"POSTGRES_PASSWORD", "GRAFANA_ADMIN_PASSWORD", "GATEWAY_SOCKET_URL"}
"""Variables of `.env.dev` that are no setting of ours, beside those of compose and of the edge."""
_OF_THE_SCRIPT = {"COMPOSE_ENV_FILE"}
"""A file does not say where it is: `deploy_dev.sh` does."""


def services(file: str) -> dict[str, Json]:
    found: dict[str, Json] = yaml_of(file)["services"]
    return found


def example() -> dict[str, str]:
    lines = (ROOT / "deploy/compose/.env.dev.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("file", _FILES)
def test_it_is_valid(file: str) -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [checker, "--builtin-schema", "vendor.compose-spec", str(ROOT / file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout


def test_each_process_is_there_under_its_name() -> None:
    ours = services(_FILES[0])
    for name in COMPONENTS:
        assert ours[name]["container_name"] == f"xin_{name.replace('-', '_')}"
        assert ours[name]["build"]["target"] == name
        assert ours[name]["build"]["target"] in _STAGES
        assert f"/{name}:" in ours[name]["image"]
        assert {int(port) for port in ours[name]["expose"]} == set(FACTS[name]["ports"].values())
    assert ours["migrate"]["command"][1] in COMMANDS


def test_both_files_are_one_project() -> None:
    one, other = (yaml_of(file) for file in _FILES)
    assert one["name"] == other["name"]
    assert not set(one["services"]) & set(other["services"])
    assert not set(one["volumes"]) & set(other["volumes"])


def test_every_container_is_confined() -> None:
    for file in _FILES:
        for name, service in services(file).items():
            assert service["deploy"]["resources"]["limits"]["memory"], name
            assert service["logging"]["options"]["max-size"], name
            if name != "postgres":  # its entry script starts as root and steps down
                assert service["cap_drop"] == ["ALL"], name
                assert "no-new-privileges:true" in service["security_opt"], name
            assert not service.get("privileged")
    for name in COMPONENTS:
        assert services(_FILES[0])[name]["read_only"] is True


def test_only_the_edge_and_this_machines_own_pages_are_published() -> None:
    for file in _FILES:
        for name, service in services(file).items():
            for port in service.get("ports", ()):
                assert name == "caddy" or port.startswith("127.0.0.1:"), name
    assert services(_FILES[1])["grafana"]["ports"] == ["127.0.0.1:3000:3000"]
    assert services(_FILES[1])["alertmanager"]["ports"] == ["127.0.0.1:9093:9093"]


def test_backups_outlive_a_container() -> None:
    """`docker exec xin_orchestrator xin backup create` writes below the data folder, which is in memory otherwise."""
    ours = services(_FILES[0])["orchestrator"]
    assert "backups:/data/backups" in ours["volumes"]
    assert any(each.startswith("/data:") for each in ours["tmpfs"])
    assert re.search(r"install -d -o xin .*/data/backups", (ROOT / "deploy/docker/Dockerfile").read_text())


def test_addresses_between_containers_lead_to_ports_that_are_open() -> None:
    ours = services(_FILES[0])
    named = [
        ours["orchestrator"]["environment"]["ORCHESTRATOR_URL"].removeprefix("http://"),
        *(ours["caddy"]["environment"][f"EDGE_{kind}"] for kind in ("ORCHESTRATORS", "GATEWAYS", "FRONTENDS")),
    ]
    for address in named:
        name, port = address.split(":")
        assert int(port) == FACTS[name]["ports"]["http"]
    asked = set(re.findall(r"\{\$(EDGE_[A-Z]+)", (ROOT / "deploy/caddy/Caddyfile").read_text()))
    assert {name for name in ours["caddy"]["environment"] if name.startswith("EDGE_")} <= asked
    frontend = (ROOT / "deploy/caddy/frontend.Caddyfile").read_text()
    assert all(f"{{${name}}}" in frontend for name in ours["frontend"]["environment"])


def test_processes_are_given_time_to_drain() -> None:
    for name in COMPONENTS:
        if name != "frontend":
            service = services(_FILES[0])[name]
            assert int(service["stop_grace_period"].removesuffix("s")) > 30
            assert float(service["environment"]["DRAIN_DELAY_SECONDS"]) > 0
            assert set(service["environment"]) <= set(SETTINGS)


def test_every_variable_is_known_and_asked_for() -> None:
    text = "".join((ROOT / file).read_text() for file in _FILES)
    asked = set(re.findall(r"\$\{([A-Z_]+)", text))
    given = example()
    composed = {name for name in given if name.startswith(("COMPOSE_", "IMAGE_", "EDGE_"))}
    assert set(given) - composed - _OURS_ELSEWHERE <= set(SETTINGS)
    assert asked - _OF_THE_SCRIPT <= set(given)
    refused = {name for name in given if name.startswith("XIN_")} - set(SETTINGS)
    assert not refused, "a process does not start with these in its environment"


def test_what_compose_refuses_to_be_without_is_filled_in() -> None:
    """`docker compose --env-file deploy/compose/.env.dev build` reads the whole file: nothing may be left empty."""
    needed = {name for file in _FILES for name in re.findall(r"\$\{([A-Z_]+):\?", (ROOT / file).read_text())}
    made = re.search(r"for name in ((?:[A-Z_\s\\])+); do", (ROOT / "scripts/deploy/deploy_dev.sh").read_text())
    assert made
    secrets = set(made[1].replace("\\", " ").split())
    given = example()
    assert needed
    assert {name for name in needed if not given.get(name)} <= secrets, "empty in .env.dev.example and not made"
    for page in ("RUNBOOK.md", "DEPLOY.md", "demos/phase_walkthroughs.md"):
        for call in re.findall(r"docker compose [^`\n]+", (ROOT / "docs" / page).read_text()):
            assert call.startswith("docker compose --env-file deploy/compose/.env.dev "), f"{page}: {call}"


def test_the_examples_settings_are_good() -> None:
    values = {name.lower(): value for name, value in example().items() if value and name in SETTINGS}
    assert Settings(**values).public_url == "https://localhost:8443"  # type: ignore[arg-type]


def test_what_is_mounted_is_there() -> None:
    volumes = {name for file in _FILES for name in yaml_of(file)["volumes"]}
    for file in _FILES:
        for name, service in services(file).items():
            for mount in service.get("volumes", ()):
                source = mount.split(":")[0]
                if source.startswith("./"):
                    assert (ROOT / source).exists(), f"{name}: {source}"
                else:
                    assert source in volumes or source.startswith("/var/"), f"{name}: {source}"


def test_prometheus_asks_where_the_processes_answer() -> None:
    jobs = {
        each["job_name"]: each["static_configs"][0]["targets"]
        for each in yaml_of("deploy/observability/prometheus/prometheus.yml")["scrape_configs"]
    }
    for name in COMPONENTS:
        facts = FACTS[name]
        if name != "frontend":
            assert jobs[f"xin-{name}"] == [f"{name}:{facts['ports'][facts['metrics']]}"]
    others = {target.split(":")[0] for targets in jobs.values() for target in targets} - {"localhost"}
    assert others <= {name for file in _FILES for name in services(file)}


def test_observers_find_one_another() -> None:
    known = services(_FILES[1])
    for file in (ROOT / "deploy/observability").rglob("*.yml"):
        if file.name == "docker-compose.yml" or "rules" in file.parts or "tests" in file.parts:
            continue
        for name, _port in re.findall(r"https?://([a-z][a-z-]*):(\d+)", file.read_text()):
            assert name in {*known, *services(_FILES[0]), "localhost"}, f"{file.name}: {name}"
    dashboards = yaml_of("deploy/observability/grafana/provisioning/dashboards/xin.yml")["providers"][0]
    mounted = {each.split(":")[1] for each in known["grafana"]["volumes"]}
    assert dashboards["options"]["path"] in mounted
