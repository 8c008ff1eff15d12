"""The Kustomize overlays: rendered out of the chart, built by `kubectl kustomize`, valid."""

import shutil
import subprocess

import kubernetes_validate
import pytest
import yaml

from scripts.render_overlays import NAMESPACES, OVERLAYS, VALUES, overlay
from tests.deploy.rendered import COMPONENTS, Json


@pytest.mark.parametrize("name", VALUES)
def test_it_is_what_the_chart_renders(name: str) -> None:
    assert (OVERLAYS / name / "platform.yaml").read_text() == overlay(name), "run `make overlays`"


@pytest.mark.parametrize("name", VALUES)
def test_kubectl_builds_it(name: str) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("needs kubectl, which renders overlays without a cluster")
    built = subprocess.run(
        ["kubectl", "kustomize", str(OVERLAYS / name)], capture_output=True, text=True, check=True, timeout=240
    )
    found: list[Json] = list(yaml.safe_load_all(built.stdout))
    for each in found:
        if each["kind"] not in ("ExternalSecret", "PodMonitor"):
            kubernetes_validate.validate(each, "1.34", strict=True)
        assert each["kind"] == "Namespace" or each["metadata"]["namespace"] == NAMESPACES[name]
    deployments = {each["metadata"]["name"]: each for each in found if each["kind"] == "Deployment"}
    assert {f"xin-xin-platform-{component}" for component in COMPONENTS} < set(deployments)
    images = {
        container["image"]
        for each in deployments.values()
        for container in each["spec"]["template"]["spec"]["containers"]
    }
    assert images == {f"registry.example.com/xin/{component}:0.1.0" for component in COMPONENTS}
