"""Scripts that need a cluster, Docker or certbot, with stand-ins that record what was asked."""

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.deploy.rendered import CHART, COMPONENTS, ROOT
from tests.deploy.stand_ins import StandIn, path_with
from tests.deploy.test_chart import FACTS

_SHELL = [*ROOT.glob("scripts/**/*.sh"), ROOT / ".ci/run", ROOT / ".ci/packages"]
_NAMES = [f"xin-platform-xin-platform-{name}" for name in COMPONENTS]
_FIRST_PORTS = [FACTS[name]["ports"][FACTS[name]["probe"]["port"]] for name in COMPONENTS]
_SERVICES = [f"{name}:{port}" for name, port in zip(_NAMES, _FIRST_PORTS, strict=True)]


def _run(folder: Path, script: str, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PATH": path_with(folder), **variables}
    return subprocess.run(
        ["bash", str(ROOT / "scripts" / script), *arguments], capture_output=True, text=True, check=False,
        env=environment, timeout=250, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize("script", _SHELL, ids=lambda path: str(path.relative_to(ROOT)))
def test_shellcheck_finds_nothing(script: Path) -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("needs shellcheck (on Debian: apt-get install shellcheck)")
    done = subprocess.run(["shellcheck", "-x", str(script)], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout
    if script.parent.name != "lib":
        assert os.access(script, os.X_OK), "not executable"
        assert "set -euo pipefail" in script.read_text()


@pytest.fixture
def helm(tmp_path: Path) -> None:
    program = tmp_path / "helm"
    program.write_text(f'#!/bin/sh\ncd {ROOT} && exec {sys.executable} -m tests.deploy.helm_stand_in "$@"\n')
    program.chmod(0o755)


@pytest.fixture
def kubectl(tmp_path: Path) -> StandIn:
    listed = {
        "get deployments .*jsonpath": ("\n".join(_NAMES), 0),
        "get services .*track=stable .*jsonpath": ("\n".join(_SERVICES), 0),
    }
    return StandIn(tmp_path, "kubectl", listed)


@pytest.mark.usefixtures("helm")
def test_preflight_passes_where_all_is_there(tmp_path: Path, kubectl: StandIn) -> None:
    values = str(CHART / "values-production.yaml")
    done = _run(tmp_path, "preflight_check.sh", "xin-prod", "xin", values, CHECK_METRICS="true")
    assert done.returncode == 0, done.stderr
    assert "Preflight passed for xin in xin-prod" in done.stdout
    assert kubectl.calls[:3] == [
        "get namespace xin-prod",
        "get crd externalsecrets.external-secrets.io",
        "-n xin-prod get secret xin-orchestrator-secrets",
    ]
    assert kubectl.calls[3].endswith("http://xin-xin-platform-orchestrator:8000/metrics")
    assert "app.kubernetes.io/component=smoke-test" in kubectl.calls[3], "the network policies let it in"


@pytest.mark.usefixtures("helm")
def test_preflight_names_what_is_missing(tmp_path: Path, kubectl: StandIn) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("orchestrater: {}\n")
    staging, default = (str(CHART / name) for name in ("values-staging.yaml", "values.yaml"))
    probed = {"CHECK_METRICS": "true", "METRICS_SERVICE_PORT": "9"}
    for answers, arguments, variables, words in (
        ({}, ("xin-staging", "xin-platform", str(bad)), {}, "does not render"),
        ({}, ("xin-staging", "xin-platform", "/nowhere.yaml"), {}, "no values file /nowhere.yaml"),
        ({"get namespace": ("", 1)}, (), {}, "namespace xin-staging does not exist"),
        ({"get secret": ("", 1)}, ("ns", "r", staging), {"EXTERNAL_SECRET_NAME": "other"}, "secret other is not in ns"),
        ({"get secret": ("", 1)}, ("ns", "r", default), {}, "secret xin-orchestrator-secrets is not"),
        ({"run xin-preflight": ("", 1)}, (), probed, ":9/metrics does not"),
    ):  # fmt: skip
        kubectl.answer(answers)
        done = _run(tmp_path, "preflight_check.sh", *arguments, **variables)
        assert done.returncode == 1
        assert words in done.stderr


def test_smoke_probes_every_service_from_inside(tmp_path: Path, kubectl: StandIn) -> None:
    done = _run(tmp_path, "smoke_test.sh", "staging", IMAGE="curl:1")
    assert done.returncode == 0, done.stderr
    assert "Smoke tests passed for staging" in done.stdout
    waited = [call for call in kubectl.calls if "rollout status" in call]
    assert [call.split()[4].removeprefix("deployment/") for call in waited] == _NAMES
    probed = {call.rpartition(" ")[2] for call in kubectl.calls if " run " in call}
    assert probed == {f"http://{service}{path}" for service in _SERVICES for path in ("/health", "/metrics")}
    assert all("-n xin-staging" in call for call in kubectl.calls)
    runs = [call for call in kubectl.calls if " run " in call]
    assert all("--image=curl:1" in call for call in runs)
    for call in runs:
        overrides = re.search(r"--overrides=(\{.+\}) --command", call, re.S)
        assert overrides
        spec = json.loads(overrides[1])["spec"]
        assert spec["containers"][0]["name"] == call.split()[3], "kubectl merges by the name"
        assert spec["securityContext"]["runAsNonRoot"], "namespaces may enforce the restricted standard"


def test_smoke_uploads_and_verifies_without_a_token_in_an_argument(tmp_path: Path, kubectl: StandIn) -> None:
    url = "http://xin-platform-xin-platform-orchestrator:8000/v1/brands/default/knowledge"
    done = _run(
        tmp_path, "smoke_test.sh", "production", INGESTION_URL=url, INGESTION_VERIFY_URL=f"{url}/x",
        INGESTION_PAYLOAD='{"title":"smoke","content":"say \\"hello\\""}', INGESTION_TOKEN="a-secret",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "POST succeeded" in done.stdout
    assert f"Ingestion verified (GET {url}/x returned 200)" in done.stdout
    assert not [call for call in kubectl.calls if "a-secret" in call]
    (sent,) = [given for given in kubectl.inputs if given]
    assert f'url = "{url}"' in sent
    assert 'header = "Authorization: Bearer a-secret"' in sent
    assert all("-n xin-prod" in call for call in kubectl.calls)


def test_what_smoke_sends_is_what_curl_reads(tmp_path: Path, kubectl: StandIn) -> None:
    payload = '{"title": "smoke", "content": "a \\"quoted\\" back\\\\slash"}'
    url = "http://127.0.0.1:9/never"
    _run(tmp_path, "smoke_test.sh", "staging", INGESTION_URL=url, INGESTION_PAYLOAD=payload)
    (sent,) = [given for given in kubectl.inputs if given]
    told = sent.replace(f'url = "{url}"', f'url = "file://{tmp_path}/x"') + "\nlibcurl = -\nsilent\n"
    done = subprocess.run(["curl", "--config", "-"], input=told, capture_output=True, text=True, check=False)
    posted = re.search(r'CURLOPT_POSTFIELDS, "(.+)"\);', done.stdout)
    assert posted
    assert posted[1].encode().decode("unicode_escape") == payload


def test_smoke_names_what_fails(tmp_path: Path, kubectl: StandIn) -> None:
    names, services = ("get deployments", ("\n".join(_NAMES), 0)), ("get services", ("\n".join(_SERVICES), 0))
    for answers, words in (
        ({}, "no deployment of xin-platform"),
        (dict([("status deployment/.*bot-manager", ("", 1)), names, services]), "bot-manager did not roll out"),
        (dict([("run .*gateway:8080/metrics", ("", 22)), names, services]), "gateway:8080/metrics does not answer"),
        (
            dict([("run .*--config", ("", 22)), names, services]),
            "without a token: set INGESTION_TOKEN",
        ),
        (dict([("run .*/verify", ("", 22)), names, services]), "did not answer 200 in time"),
    ):
        kubectl.answer(answers)
        done = _run(
            tmp_path, "smoke_test.sh", "staging", INGESTION_URL="http://x/y", INGESTION_VERIFY_URL="http://x/verify",
            VERIFY_SECONDS="0",
        )  # fmt: skip
        assert done.returncode == 1
        assert words in done.stderr
    assert _run(tmp_path, "smoke_test.sh", "nowhere").returncode == 2


@pytest.fixture
def healthy() -> Iterator[str]:
    yield from _answering(lambda: 200)


@pytest.fixture
def soon_healthy() -> Iterator[str]:
    """Ready at the second look."""
    looks = iter([503])
    yield from _answering(lambda: next(looks, 200))


def _answering(status: Callable[[], int]) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status())
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/health"
    server.shutdown()
    server.server_close()
    thread.join()


def test_deploy_dev_makes_its_settings_once_and_waits(tmp_path: Path, healthy: str) -> None:
    docker, env = StandIn(tmp_path, "docker"), tmp_path / "env.dev"
    first = _run(tmp_path, "deploy/deploy_dev.sh", COMPOSE_ENV_FILE=str(env), HEALTH_URL=healthy)
    assert first.returncode == 0, first.stderr
    made = dict(line.split("=", 1) for line in env.read_text().splitlines() if line and not line.startswith("#"))
    secrets = {name: made[name] for name in re.findall(r"made a random (\w+)", first.stdout)}
    assert len(secrets) == 8
    assert all(len(value) >= 32 for value in secrets.values())
    assert len(set(secrets.values())) == 8
    assert env.stat().st_mode & 0o077 == 0
    files = "-f docker-compose.yml -f deploy/observability/docker-compose.yml"
    asked = [call.removeprefix(f"compose --env-file {env} {files} ") for call in docker.calls[1:]]
    assert asked == ["build", "up -d --wait postgres", "run --rm migrate", "up -d --remove-orphans"]
    again = _run(
        tmp_path, "deploy/deploy_dev.sh", COMPOSE_ENV_FILE=str(env), HEALTH_URL=healthy, BUILD="false",
        OBSERVABILITY="false",
    )  # fmt: skip
    assert again.returncode == 0
    assert "made a random" not in again.stdout
    assert not [call for call in docker.calls[6:] if "observability" in call or call.endswith("build")]


def test_deploy_dev_waits_from_the_start_of_the_platform_not_of_its_builds(tmp_path: Path, soon_healthy: str) -> None:
    docker, env, seen = tmp_path / "docker", tmp_path / "env.dev", tmp_path / "seen"
    docker.write_text(f'#!/bin/sh\necho "$COMPOSE_ENV_FILE" >>{seen}\ncase "$*" in *build) sleep 3 ;; esac\n')
    docker.chmod(0o755)
    done = _run(tmp_path, "deploy/deploy_dev.sh", COMPOSE_ENV_FILE=str(env), HEALTH_URL=soon_healthy, WAIT_SECONDS="3")
    assert done.returncode == 0, done.stderr
    assert set(seen.read_text().split()) == {str(env)}, "compose hears of the file, and gives it to containers"
    processes = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["x-process"]
    assert processes["env_file"] == ["${COMPOSE_ENV_FILE:-deploy/compose/.env.dev}"]


def test_deploy_dev_says_what_is_wrong(tmp_path: Path) -> None:
    StandIn(tmp_path, "docker", {"compose version": ("", 1)})
    done = _run(tmp_path, "deploy/deploy_dev.sh", COMPOSE_ENV_FILE=str(tmp_path / "env"))
    assert done.returncode == 1
    assert "compose plugin" in done.stderr
    StandIn(tmp_path, "docker")
    done = _run(
        tmp_path, "deploy/deploy_dev.sh", COMPOSE_ENV_FILE=str(tmp_path / "env"),
        HEALTH_URL="http://127.0.0.1:9/", WAIT_SECONDS="1",
    )  # fmt: skip
    assert done.returncode == 1
    assert "does not answer 200 after 1 s" in done.stderr


def test_the_first_certificate_is_asked_for_as_certbot_wants_it(tmp_path: Path) -> None:
    certbot = StandIn(tmp_path, "certbot")
    done = _run(tmp_path, "tls/bootstrap_certbot.sh", "--email", "o@example.com", "chat.example.com", "x.example.com")
    assert done.returncode == 0, done.stderr
    (call,) = certbot.calls
    assert call.startswith("certonly --standalone -d chat.example.com -d x.example.com --cert-name chat.example.com")
    assert "--non-interactive" in call
    assert "EDGE_TLS=tls /etc/letsencrypt/live/chat.example.com/fullchain.pem" in done.stdout
    webroot = ("--webroot", "/srv", "--staging", "--dry-run")
    assert _run(tmp_path, "tls/bootstrap_certbot.sh", "--email", "o@e.com", *webroot, "a.b.com").returncode == 0
    assert "--webroot --webroot-path /srv" in certbot.calls[1]
    assert certbot.calls[1].endswith("--test-cert --dry-run")
    for wrong in ((), ("--email", "o@e.com"), ("--email", "o@e.com", "no name"), ("--nonsense",)):
        assert _run(tmp_path, "tls/bootstrap_certbot.sh", *wrong).returncode == 2


def test_renewal_reloads_the_edge_and_tells_of_failure(tmp_path: Path) -> None:
    certbot = StandIn(tmp_path, "certbot")
    done = _run(tmp_path, "tls/renew_certificates.sh")
    assert (done.returncode, done.stdout) == (0, "certificates: up to date\n")
    assert certbot.calls == ["renew --quiet --non-interactive --deploy-hook systemctl reload xin-caddy"]
    certbot.answer({"renew": ("", 1)})
    done = _run(tmp_path, "tls/renew_certificates.sh", "--force")
    assert done.returncode == 1
    assert "could not be renewed" in done.stderr


def test_the_shell_has_the_settings_as_they_stand_in_the_file(tmp_path: Path) -> None:
    plain = {
        "DATABASE_URL": "postgresql://xin:p$1;w#d@db/xin?sslmode=require&connect_timeout=5",
        "OPENAI_MODEL": "a model `of ours` $(date) && more",
        "PUBLIC_URL": "https://chat.example.com",
        "EMPTY": "",
        "LOGS_DIR": "/srv/log",
    }
    file = tmp_path / "xin.env"
    lines = [f"{name}={value}" for name, value in plain.items()]
    file.write_text("\n".join(["# DATABASE_URL=x", "; no", "", 'QUOTED="a & b"  ', "SINGLE='it is'", *lines]))
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    done = _run(tmp_path, "shell.sh", sys.executable, "-c", show, ENV_FILE=str(file))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {name: found[name] for name in plain} == plain
    assert (found["QUOTED"], found["SINGLE"]) == ("a & b", "it is")
    assert found["XIN_DATA_DIR"] == "/var/lib/xin"
    assert found["PATH"].startswith(f"{ROOT}/.venv/bin:")
    assert _run(tmp_path, "shell.sh", "true", ENV_FILE=str(tmp_path / "none")).returncode == 1


@pytest.mark.parametrize("name", ["replay_webhook.py", "debug_retrieval.py", "demo_onboarding.py"])
def test_programs_of_operators_run_without_the_environment_being_active(name: str, tmp_path: Path) -> None:
    """By their name, from another folder, with a `python3` that has nothing installed."""
    bare = tmp_path / "python3"
    bare.write_text(f'#!/bin/sh\nexec {Path(sys.executable).resolve()} -S "$@"\n')
    bare.chmod(0o755)
    environment = {**os.environ, "PATH": path_with(tmp_path)}
    done = subprocess.run(
        [ROOT / "scripts" / name, "--help"], capture_output=True, text=True, check=False, cwd=tmp_path,
        env=environment, timeout=250,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower()
    lone = tmp_path / "lone/scripts"
    lone.mkdir(parents=True)
    for each in (name, "own_python.py"):
        shutil.copy(ROOT / "scripts" / each, lone / each)
    done = subprocess.run(
        [lone / name, "--help"], capture_output=True, text=True, check=False, env=environment, timeout=250
    )
    assert done.returncode == 1
    assert done.stderr == f"xin: what this needs is not installed; `make .venv/.run` in {lone.parent} does that\n"


def test_make_demo_names_another_platform(tmp_path: Path) -> None:
    def said(*variables: str) -> str:
        command = ["make", "--dry-run", "--no-print-directory", "--old-file=.venv/.run", "demo", *variables]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()[-1]

    assert said("ADMIN_TOKEN=t").rstrip() == '.venv/bin/python scripts/demo_onboarding.py --api-token "t"'
    there = said("API_URL=https://api.example.com", "API_TOKEN=u")
    assert there == '.venv/bin/python scripts/demo_onboarding.py --api-token "u" --api-url "https://api.example.com"'


def test_no_page_has_a_shell_read_the_units_settings() -> None:
    for page in ROOT.glob("docs/**/*.md"):
        assert not re.search(r"(?:\.|source) /etc/xin/", page.read_text()), page
