"""Commands of the runbook that no test can run: each is read, and what it names is the repository's."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib import import_module

import pytest
import typer

from tests.deploy.program import COMMANDS
from tests.deploy.rendered import container, of_kind, pods
from tests.deploy.test_compose import services
from tests.operations.test_runbook import KINDS, PAGE, blocks
from tests.started import ROOT

_KUBERNETES = {
    "deploy": "Deployment",
    "hpa": "HorizontalPodAutoscaler",
    "pdb": "PodDisruptionBudget",
    "ingress": "Ingress",
    "cronjob": "CronJob",
}
_UNNAMED = {"pods", "externalsecrets"}
_MADE_THERE = {"job/backup-now", "job/restore"}
_NAMESPACES = {"xin-prod", "xin-staging"}
_COMPOSE_VERBS = {"stop", "run", "up", "ps"}


def _commands(kind: str) -> Iterator[list[str]]:
    """Every command of the blocks of a kind, as its words; pipelines and sequences are taken apart."""
    for block in blocks():
        if block.kind == kind:
            for line in block.text.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                while words:
                    end = next((place for place, word in enumerate(words) if word in ("|", "&&")), len(words))
                    yield words[:end]
                    words = words[end + 1 :]


def _calls(kind: str, program: str) -> list[list[str]]:
    found = [words[1:] for words in _commands(kind) if words[0] == program]
    assert found, f"no {program} in a block of kind {kind}"
    return found


def _short(name: str) -> str:
    """An object's name without what the release puts in front; the two releases of the page have the same objects."""
    return re.sub(r"^(xin-platform|xin)-(?=xin-platform)", "xin-", name).removeprefix("xin-xin-platform-")


def test_every_kind_of_block_is_looked_at() -> None:
    assert {block.kind for block in blocks()} == KINDS


def test_kubectl_is_asked_for_what_the_chart_makes() -> None:
    for words in _calls("cluster", "kubectl"):
        if words[:2] == ["apply", "-k"]:
            assert (ROOT / words[2] / "kustomization.yaml").is_file()
            continue
        assert words[0] == "-n", words
        assert words[1] in _NAMESPACES, words
        named = [word for word in words if re.fullmatch(r"(deploy|hpa|cronjob|job)/.+", word.removeprefix("--from="))]
        if "describe" in words or "patch" in words:
            verb = max(words.index(each) for each in ("describe", "patch") if each in words)
            named.append(f"{words[verb + 1]}/{words[verb + 2]}")
        for each in named:
            kind, name = each.removeprefix("--from=").split("/")
            assert each in _MADE_THERE or _short(name) in of_kind(_KUBERNETES[kind]), each
        if "-c" in words:
            (deployment,) = (_short(each.split("/")[1]) for each in named)
            inside = container(of_kind("Deployment")[deployment]["spec"]["template"])
            assert words[words.index("-c") + 1] == inside["name"], words


def test_kinds_and_labels_are_the_charts() -> None:
    labels = {f"{name}={value}" for _, pod in pods() for name, value in pod["metadata"]["labels"].items()}
    labels.add("app.kubernetes.io/instance=xin-platform")
    for words in _calls("cluster", "kubectl"):
        if "-l" in words:
            assert words[words.index("-l") + 1] in labels, words
        if "get" in words:
            asked = set(words[words.index("get") + 1].split(","))
            assert asked <= set(_KUBERNETES) | _UNNAMED, words


def test_charts_and_scripts_are_called_as_they_can_be() -> None:
    for words in [*_calls("cluster", "helm"), *_calls("cluster", "bash")]:
        for path in (word for word in words if word.startswith(("scripts/", "deploy/"))):
            assert (ROOT / path).exists(), path


def test_units_are_ours_and_run_as_the_user_that_the_page_names() -> None:
    units = {file.stem: file.read_text() for file in ROOT.glob("deploy/systemd/*.service")}
    for words in _calls("host", "systemctl"):
        for name in words[1:]:
            assert [unit for unit in units if fnmatch(unit, name)], name
    for words in _calls("host", "runuser"):
        assert f"User={words[words.index('-u') + 1]}\n" in units["xin-all-in-one"]


def test_containers_are_those_of_compose() -> None:
    ours = services("docker-compose.yml")
    for words in _calls("host", "docker"):
        if words[0] == "exec":
            assert words[1] in {each.get("container_name") for each in ours.values()}, words
            assert words[2:4] == ["xin", "backup"]
            continue
        if words[0] == "logs":
            assert set(words[1:]) & {each.get("container_name") for each in ours.values()}, words
            continue
        assert words[0] == "compose", words
        files = [words[place + 1] for place, word in enumerate(words) if word == "-f"]
        assert all((ROOT / file).exists() for file in files)
        verb = next(place for place, word in enumerate(words) if word in _COMPOSE_VERBS)
        named = [word for word in words[verb + 1 :] if not word.startswith("-")]
        named = named[:1] if words[verb] == "run" else named
        assert set(named) <= set(ours), words


def test_restoring_takes_the_options_that_the_page_gives() -> None:
    restore = typer.main.get_command(import_module("chatbot.cli.backup").app).commands["restore"]  # type: ignore[attr-defined]
    known = {option for parameter in restore.params for option in parameter.opts}
    given = {
        option for words in _commands("host") if "restore" in " ".join(words) for option in words if option[:2] == "--"
    }
    assert {"--timestamp", "--env-file", "--bucket"} <= given
    assert given - {"--", "--rm"} <= known


def test_every_command_of_ours_is_one() -> None:
    text = PAGE.read_text()
    assert set(re.findall(r"(?:`|\(|^)xin ([a-z][a-z-]+)", text, re.M)) <= COMMANDS
    for group in ("backup", "rotate"):
        known = set(typer.main.get_command(import_module(f"chatbot.cli.{group}").app).commands)  # type: ignore[attr-defined]
        named = set(re.findall(rf"\bxin {group} ([a-z-]+)", text))
        assert named
        assert named <= known, named - known


@pytest.mark.parametrize("program", ["promtool", "amtool"])
def test_what_needs_only_a_program_is_run(program: str) -> None:
    if not shutil.which(program):
        pytest.skip(f"needs {program}")
    for words in _calls("host", program):
        done = subprocess.run([program, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
