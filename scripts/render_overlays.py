"""Writes `deploy/overlays/<name>/platform.yaml` out of the Helm chart: `kubectl apply -k` knows no Helm.

Run by `make overlays`; a test fails when what is written there is not what the chart renders.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm_python
import yaml

ROOT = Path(__file__).parents[1]
CHART = ROOT / "deploy" / "helm" / "xin-platform"
OVERLAYS = ROOT / "deploy" / "overlays"
RELEASE = "xin"
VALUES = {"staging": "values-staging.yaml", "prod": "values-production.yaml"}
NAMESPACES = {"staging": "xin-staging", "prod": "xin-prod"}

_HEAD = "# Rendered out of deploy/helm/xin-platform by `make overlays`. Change the chart, not this file.\n"
_WITHOUT_HOOKS = {"migrations": {"enabled": False}}
"""A hook is Helm's; without it each process brings the schema up to date when it starts, one at a time."""


def render(values: dict[str, Any], *, release: str, namespace: str) -> str:
    """Return the manifests of a release as one text, in the order of the chart's files."""
    with helm_python.Chart.load(CHART) as chart:
        chart.validate_schema(values)
        rendered = chart.render(values, name=release, namespace=namespace)
    return "".join(_documents(rendered))


def _documents(rendered: dict[str, str]) -> Iterator[str]:
    for file in sorted(rendered):
        if not file.endswith(".yaml"):
            continue
        for document in re.split(r"^---\n", rendered[file], flags=re.MULTILINE):
            text = "\n".join(line.rstrip() for line in document.splitlines() if line.strip())
            if re.search(r"^kind:", text, flags=re.MULTILINE):
                yield f"---\n{text}\n"


def values_of(*files: Path) -> dict[str, Any]:
    """Return values that lie one over the other, as `helm -f FILE -f FILE` takes them."""
    found: dict[str, Any] = {}
    for file in files:
        found = merged(found, yaml.safe_load(file.read_text()))
    return found


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return `over` laid over `under`, map by map."""
    both = {
        name for name in under.keys() & over.keys() if isinstance(under[name], dict) and isinstance(over[name], dict)
    }
    return {**under, **over, **{name: merged(under[name], over[name]) for name in both}}


def overlay(name: str) -> str:
    """Return what stands in an overlay's `platform.yaml`."""
    values = merged(values_of(CHART / "values.yaml", CHART / VALUES[name]), _WITHOUT_HOOKS)
    return _HEAD + render(values, release=RELEASE, namespace=NAMESPACES[name])


def main() -> None:
    """Write every overlay, and name each."""
    for name in VALUES:
        file = OVERLAYS / name / "platform.yaml"
        file.write_text(overlay(name))
        sys.stdout.write(f"{file.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
