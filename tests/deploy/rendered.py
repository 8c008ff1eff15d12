"""The chart as real Helm renders it: once for each values file, for every test of this folder."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from scripts.render_overlays import CHART, ROOT, merged, render, values_of

Json = dict[str, Any]

RELEASE, NAMESPACE = "xin", "xin-test"
NAME = f"{RELEASE}-xin-platform"
VALUES = ("values.yaml", "values-staging.yaml", "values-production.yaml")
COMPONENTS = (
    "orchestrator",
    "channel-gateway",
    "ingestion-worker",
    "automation-worker",
    "bot-manager",
    "frontend",
)


@cache
def manifests(values_file: str = "values-production.yaml") -> list[Json]:
    """Every object that a values file, laid over the defaults, makes."""
    return rendered_with(values_file, {})


def rendered_with(values_file: str, changed: Json) -> list[Json]:
    """The same with some values changed."""
    values = merged(values_of(CHART / "values.yaml", CHART / values_file), changed)
    return list(yaml.safe_load_all(render(values, release=RELEASE, namespace=NAMESPACE)))


def of_kind(kind: str, values_file: str = "values-production.yaml") -> dict[str, Json]:
    """Objects of a kind by their name, without what all names begin with."""
    found = [each for each in manifests(values_file) if each["kind"] == kind]
    return {each["metadata"]["name"].removeprefix(f"{NAME}-"): each for each in found}


def pods(values_file: str = "values-production.yaml") -> Iterator[tuple[str, Json]]:
    """Every pod's specification by the name of what makes it."""
    for each in manifests(values_file):
        name = each["metadata"]["name"].removeprefix(f"{NAME}-")
        match each["kind"]:
            case "Deployment" | "Job":
                yield name, each["spec"]["template"]
            case "CronJob":
                yield name, each["spec"]["jobTemplate"]["spec"]["template"]


def container(pod: Json) -> Json:
    """The only container of a pod."""
    (only,) = pod["spec"]["containers"]
    found: Json = only
    return found


def yaml_of(path: str) -> Json:
    """A YAML file of the repository."""
    found: Json = yaml.safe_load((ROOT / path).read_text())
    return found


__all__ = ["CHART", "COMPONENTS", "NAME", "NAMESPACE", "RELEASE", "ROOT", "VALUES", "Path"]
