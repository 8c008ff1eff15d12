"""The Helm chart: every values file renders, is valid, and names what the processes really open and answer."""

import json
import re
from pathlib import Path

import helm_python
import kubernetes_validate
import pytest
import yaml

from chatbot.apps.api import make_api
from chatbot.apps.serving import DRAIN_SECONDS
from chatbot.core.settings import Settings
from tests.deploy.program import COMMANDS, GATEWAY_PATHS, SETTINGS, answered, default, orchestrator_paths
from tests.deploy.rendered import (
    CHART,
    COMPONENTS,
    NAME,
    ROOT,
    VALUES,
    Json,
    container,
    manifests,
    of_kind,
    pods,
    rendered_with,
)

_INFO = 1
_KUBERNETES = ("1.29", "1.34")
_NOT_OF_KUBERNETES = {"ExternalSecret", "PodMonitor"}
_ENDS_WITHIN = 30
"""Seconds from SIGTERM to the end of a process (contract, P9)."""

FACTS: Json = yaml.safe_load(
    re.search(r'define "xin.components" -}}\n(.+?){{- end', (CHART / "templates/_components.tpl").read_text(), re.S)[1]  # type: ignore[index]
)


@pytest.mark.parametrize("values_file", VALUES)
@pytest.mark.parametrize("version", _KUBERNETES)
def test_what_is_rendered_is_valid(values_file: str, version: str) -> None:
    found = manifests(values_file)
    assert len(found) > 20
    for each in found:
        if each["kind"] not in _NOT_OF_KUBERNETES:
            kubernetes_validate.validate(each, version, strict=True)
    names = [(each["kind"], each["metadata"]["name"]) for each in found]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("values_file", VALUES)
def test_lint_finds_nothing(values_file: str) -> None:
    found = helm_python.lint(CHART, yaml.safe_load((CHART / values_file).read_text()), strict=True)
    assert [each for each in found["messages"] if each["severity"] > _INFO] == []


def test_values_that_are_misspelt_or_secret_are_refused() -> None:
    for changed in (
        {"orchestrater": {}},
        {"orchestrator": {"replica": 2}},
        {"config": {"ADMIN_JWT_SECRET": "in-the-values"}},
        {"config": {"ENVIRONMENT": "development"}},
        {"config": {"GATEWAY_PORT": 9000}},
        {"image": {"tag": "latest"}},
        {"shutdown": {"gracePeriodSeconds": 30}},
    ):
        with pytest.raises(helm_python.HelmValuesError):
            rendered_with("values.yaml", changed)


def test_no_secret_and_no_port_may_stand_in_the_values() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    refused = set(schema["properties"]["config"]["propertyNames"]["not"]["enum"])
    secret = {name for name, field in SETTINGS.items() if "SecretStr" in str(field.annotation)}
    assert refused == secret | {name for name in SETTINGS if name.endswith("_PORT")}


def test_every_component_has_its_names() -> None:
    deployments = of_kind("Deployment")
    assert set(deployments) == {*COMPONENTS, "orchestrator-canary", "channel-gateway-canary"}
    containers = {name: container(deployments[name]["spec"]["template"])["name"] for name in COMPONENTS}
    assert containers == {name: name for name in COMPONENTS} | {"automation-worker": "automation"}
    assert deployments["orchestrator"]["metadata"]["name"] == "xin-xin-platform-orchestrator"
    assert set(of_kind("Ingress")) == {NAME, "canary", "unlogged"}


def test_ports_are_those_that_the_processes_open() -> None:
    for name in COMPONENTS:
        for setting, port in FACTS[name]["env"].items():
            assert default(setting) == FACTS[name]["ports"][port], setting
    opened = {setting for name in COMPONENTS for setting in FACTS[name]["env"]}
    assert opened == {name for name in SETTINGS if name.endswith("_PORT")}
    for name, deployment in of_kind("Deployment").items():
        facts = FACTS[name.removesuffix("-canary")]
        declared = {port["name"]: port["containerPort"] for port in container(deployment["spec"]["template"])["ports"]}
        assert declared == facts["ports"]


def test_every_variable_is_a_setting() -> None:
    for values_file in VALUES:
        assert set(of_kind("ConfigMap", values_file)["config"]["data"]) <= set(SETTINGS)
        for name, pod in pods(values_file):
            named = {each["name"] for each in container(pod).get("env", [])}
            if name == "frontend":
                caddyfile = (ROOT / "deploy/caddy/frontend.Caddyfile").read_text()
                assert named == set(re.findall(r"\{\$([A-Z_]+)", caddyfile)) - {"FRONTEND_PAGES"}
            else:
                assert named <= set(SETTINGS), name


def test_probes_ask_what_is_answered() -> None:
    for name, deployment in of_kind("Deployment").items():
        component = name.removesuffix("-canary")
        described = container(deployment["spec"]["template"])
        ports = {port["name"] for port in described["ports"]}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = described[probe]["httpGet"]
            assert asked["port"] in ports
            if component == "frontend":
                assert asked["path"] == "/health"
            else:
                assert asked["path"] in answered(component), name


def test_a_service_finds_the_pods_of_one_deployment() -> None:
    deployments, services = of_kind("Deployment"), of_kind("Service")
    assert set(services) == set(deployments)
    for name, service in services.items():
        wanted = service["spec"]["selector"].items()
        found = {
            other
            for other, deployment in deployments.items()
            if wanted <= deployment["spec"]["template"]["metadata"]["labels"].items()
        }
        assert found == {name}
        ports = {
            port["name"]: port["containerPort"] for port in container(deployments[name]["spec"]["template"])["ports"]
        }
        assert {port["targetPort"]: port["port"] for port in service["spec"]["ports"]} == ports
        first = FACTS[name.removesuffix("-canary")]["probe"]["port"]
        assert service["spec"]["ports"][0]["name"] == first, "the smoke test asks the first port"


def test_metrics_are_where_they_are_looked_for() -> None:
    (monitor,) = of_kind("PodMonitor").values()
    endpoints = {each["relabelings"][1]["replacement"]: each["port"] for each in monitor["spec"]["podMetricsEndpoints"]}
    for name, deployment in of_kind("Deployment").items():
        pod, facts = deployment["spec"]["template"], FACTS[name.removesuffix("-canary")]
        scraped = facts["ports"][facts["metrics"]]
        assert pod["metadata"]["annotations"]["prometheus.io/port"] == str(scraped)
        assert endpoints[f"xin-{name.removesuffix('-canary')}"] == facts["metrics"]


def test_pods_are_restricted() -> None:
    for name, pod in pods():
        spec, described = pod["spec"], container(pod)
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
        rights = described["securityContext"]
        assert rights["readOnlyRootFilesystem"]
        assert not rights["allowPrivilegeEscalation"]
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert {"requests", "limits"} <= set(described["resources"]), name
        assert not described["image"].endswith((":", ":latest"))
        mounted = {each["mountPath"] for each in described["volumeMounts"]}
        assert mounted == ({"/tmp"} if name == "frontend" else {"/tmp", "/data"})


def test_uploads_may_stay_on_a_volume() -> None:
    found = rendered_with("values.yaml", {"persistence": {"existingClaim": "uploads"}})
    by_name = {each["metadata"]["name"]: each for each in found if each["kind"] == "Deployment"}
    pod = by_name[f"{NAME}-orchestrator"]["spec"]["template"]
    assert {"name": "uploads", "mountPath": "/data/uploads"} in container(pod)["volumeMounts"]


def test_numbers_and_switches_are_rendered_as_the_program_reads_them() -> None:
    given: Json = {
        "MAX_UPLOAD_BYTES": 104_857_600, "CHAT_LIMIT_TENANT": 1_000_000, "DRAIN_DELAY_SECONDS": 2.5,
        "TURN_CONCURRENCY": 64, "SMART_MODE_ENABLED": False, "OPENAI_MODEL": "1e+06",
    }  # fmt: skip
    own = {name: value for name, value in given.items() if name != "DRAIN_DELAY_SECONDS"}  # the chart's own in `config`
    found = rendered_with("values.yaml", {"config": own, "orchestrator": {"env": given}})
    (data,) = (each["data"] for each in found if each["kind"] == "ConfigMap")
    (pod,) = (
        each["spec"]["template"]
        for each in found
        if each["kind"] == "Deployment" and each["metadata"]["name"] == f"{NAME}-orchestrator"
    )
    named = {each["name"]: each["value"] for each in container(pod)["env"]}
    for there, wanted in ((data, own), (named, given)):
        read = Settings(**{name.lower(): there[name] for name in wanted})
        assert {name: getattr(read, name.lower()) for name in wanted} == wanted


def test_pods_end_in_their_own_time() -> None:
    shutdown = yaml.safe_load((CHART / "values.yaml").read_text())["shutdown"]
    assert shutdown["drainDelaySeconds"] + DRAIN_SECONDS + 5 <= _ENDS_WITHIN
    for name, deployment in of_kind("Deployment").items():
        spec = deployment["spec"]["template"]["spec"]
        slept = int(container({"spec": spec})["lifecycle"]["preStop"]["exec"]["command"][1])
        assert slept + _ENDS_WITHIN < spec["terminationGracePeriodSeconds"], name


def test_scaling_and_disruption_are_of_deployments_that_exist() -> None:
    deployments = of_kind("Deployment")
    for name, scaler in of_kind("HorizontalPodAutoscaler").items():
        assert scaler["spec"]["scaleTargetRef"]["name"] == f"{NAME}-{name}"
        assert "replicas" not in deployments[name]["spec"], "the autoscaler's number and ours would fight"
    for name, budget in of_kind("PodDisruptionBudget").items():
        labels = deployments[name]["spec"]["template"]["metadata"]["labels"]
        assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_secrets_come_from_outside() -> None:
    for values_file, store in (("values-staging.yaml", "xin-vault-kv"), ("values-production.yaml", "doppler-prod")):
        (secret,) = [each for each in manifests(values_file) if each["kind"] == "ExternalSecret"]
        assert secret["spec"]["target"]["name"] == "xin-orchestrator-secrets"
        assert secret["spec"]["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": store}
        assert {each["secretKey"] for each in secret["spec"].get("data", [])} <= set(SETTINGS)
        for name, pod in pods(values_file):
            if name != "frontend":
                assert {"secretRef": {"name": "xin-orchestrator-secrets"}} in container(pod)["envFrom"], name
        assert not [each for each in manifests(values_file) if each["kind"] == "Secret"]


def test_staging_is_given_every_secret_that_it_needs() -> None:
    settings = (ROOT / "chatbot/core/settings.py").read_text()
    required = re.search(r"_REQUIRED_SECRETS = \((.+?)\)", settings, re.S)
    assert required
    (secret,) = [each for each in manifests("values-staging.yaml") if each["kind"] == "ExternalSecret"]
    given = {each["secretKey"].lower() for each in secret["spec"]["data"]}
    assert {"database_url", "storage_access_key", "storage_secret_key", *re.findall(r'"(\w+)"', required[1])} <= given


@pytest.mark.parametrize("job", ["migrate", "purge", "backup"])
def test_commands_of_jobs_exist(job: str) -> None:
    program, command = container(dict(pods())[job])["args"][:2]
    assert program == "xin"
    assert command in COMMANDS


def test_a_backup_goes_to_a_bucket_every_night_and_has_room() -> None:
    for values_file in VALUES:
        (cron,) = [each for name, each in of_kind("CronJob", values_file).items() if name == "backup"]
        assert cron["spec"]["schedule"] == "30 2 * * *"
        pod = cron["spec"]["jobTemplate"]["spec"]["template"]
        assert container(pod)["args"] == ["xin", "backup", "create"]
        assert _settings(values_file)["BACKUP_BUCKET"], "what stays in the pod goes with it"
        data = next(each for each in pod["spec"]["volumes"] if each["name"] == "data")
        assert data["emptyDir"]["sizeLimit"] == "20Gi"


def _settings(values_file: str) -> dict[str, str]:
    found: dict[str, str] = of_kind("ConfigMap", values_file)["config"]["data"]
    return found


def test_staging_and_production_share_no_bucket() -> None:
    staging, production = (_settings(f"values-{name}.yaml") for name in ("staging", "production"))
    buckets = [settings[name] for settings in (staging, production) for name in ("STORAGE_BUCKET", "BACKUP_BUCKET")]
    assert len(set(buckets)) == len(buckets), "backups of two platforms in one bucket are taken for one another"


def test_without_s3_backups_are_kept_on_a_volume_or_the_chart_says_what_is_missing() -> None:
    volume: Json = {"persistence": {"existingClaim": "uploads"}, "config": {"STORAGE_ENDPOINT_URL": ""}}
    for missing, words in (
        ({}, "one of config.STORAGE_ENDPOINT_URL"),
        ({"config": {"STORAGE_ENDPOINT_URL": "", "BACKUP_BUCKET": ""}}, "backup.existingClaim"),
    ):
        with pytest.raises(helm_python.HelmError, match=words):
            rendered_with("values.yaml", {**volume, **missing})
    none = {"config": {"STORAGE_ENDPOINT_URL": "", "BACKUP_BUCKET": ""}}
    assert rendered_with("values.yaml", {**volume, **none, "backup": {"enabled": False}})
    found = rendered_with("values.yaml", {**volume, **none, "backup": {"existingClaim": "backups"}})
    (cron,) = (each for each in found if each["metadata"]["name"] == f"{NAME}-backup")
    pod = cron["spec"]["jobTemplate"]["spec"]["template"]
    mounted = {each["mountPath"]: each["name"] for each in container(pod)["volumeMounts"]}
    assert mounted["/data/backups"] == "backups"
    assert {"name": "backups", "persistentVolumeClaim": {"claimName": "backups"}} in pod["spec"]["volumes"]
    for each in found:
        kubernetes_validate.validate(each, _KUBERNETES[-1], strict=True)


def test_migrations_run_before_an_upgrade() -> None:
    assert of_kind("Job")["migrate"]["metadata"]["annotations"]["helm.sh/hook"] == "pre-upgrade"


def _component_of(ingress: Json, host: str, path: str) -> str | None:
    """Where the ingress leads a path: the longest prefix wins."""
    found: tuple[int, str | None] = (-1, None)
    for rule in ingress["spec"]["rules"]:
        for each in rule["http"]["paths"] if rule["host"] == host else ():
            prefix = each["path"]
            fits = path == prefix or (each["pathType"] == "Prefix" and path.startswith(f"{prefix.rstrip('/')}/"))
            if fits and len(prefix) > found[0]:
                found = len(prefix), each["backend"]["service"]["name"].removeprefix(f"{NAME}-")
    return found[1]


def test_the_ingress_leads_every_public_path_and_no_inner_one() -> None:
    ingress = of_kind("Ingress")[NAME]
    inner = ("/metrics", "/internal")
    ours = ("/console", "/embed.js", "/widget")
    for path in orchestrator_paths():
        for host in ("console.example.com", "api.example.com"):
            led = _component_of(ingress, host, path)
            if path.startswith(inner) or path == "/demo":
                assert led is None, path
            elif path.startswith(ours):
                assert led == "frontend", path
            else:
                assert led == "orchestrator", path
    for path in GATEWAY_PATHS:
        led = _component_of(ingress, "gateway.example.com", path)
        assert led == (None if path == "/metrics" else "channel-gateway"), path
    assert ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "letsencrypt-prod"
    assert set(ingress["spec"]["tls"][0]["hosts"]) == {rule["host"] for rule in ingress["spec"]["rules"]}


def test_what_takes_a_token_in_its_address_is_not_logged_by_the_ingress() -> None:
    unlogged = of_kind("Ingress")["unlogged"]
    assert unlogged["metadata"]["annotations"]["nginx.ingress.kubernetes.io/enable-access-log"] == "false"
    operations = make_api().openapi()["paths"]
    with_token = {
        path for path, kinds in operations.items() for operation in kinds.values()
        if any(each["in"] == "query" and each["name"] == "token" for each in operation.get("parameters", ()))
    }  # fmt: skip
    assert len(with_token) >= 2
    for path in with_token:
        for host in ("console.example.com", "api.example.com"):
            assert _component_of(unlogged, host, path) == "orchestrator", path


def test_a_canary_gets_no_request_by_itself() -> None:
    canary = of_kind("Ingress")["canary"]
    assert canary["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"] == "0"
    led = {
        each["backend"]["service"]["name"].removeprefix(f"{NAME}-")
        for rule in canary["spec"]["rules"]
        for each in rule["http"]["paths"]
    }
    assert led == {"orchestrator-canary", "channel-gateway-canary"}
    for name in led:
        deployment = of_kind("Deployment")[name]["spec"]
        assert deployment["replicas"] == 0
        variables = {each["name"]: each["value"] for each in container(deployment["template"])["env"]}
        assert variables["MIGRATE_ONLY_COMPATIBLE"] == "true", "stable pods must be able to go on"


def test_network_policies_open_what_is_served_and_nothing_else() -> None:
    policies = of_kind("NetworkPolicy")
    assert policies["deny"]["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policies["deny"]["spec"]
    for name in COMPONENTS:
        opened = {port["port"] for rule in policies[name]["spec"]["ingress"] for port in rule["ports"]}
        assert opened == set(FACTS[name]["ports"].values())
    from_within = policies["orchestrator"]["spec"]["ingress"][0]["from"][1]["podSelector"]["matchExpressions"]
    assert from_within[0]["values"] == ["channel-gateway", "purge"], "both ask the orchestrator"
    internet = policies["out"]["spec"]["egress"][-1]["to"][0]["ipBlock"]
    assert "169.254.0.0/16" in internet["except"], "the cloud's metadata service"


def test_the_readme_tells_every_component() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| `([a-z-]+)` \| ([^|]+) \|", (CHART / "README.md").read_text(), re.M)
    assert {row[0]: row[1] for row in rows} == {name: FACTS[name]["container"] for name in COMPONENTS}
    for name, _, ports in rows:
        assert {int(number) for number in re.findall(r"\d+", ports)} == set(FACTS[name]["ports"].values())


def test_the_chart_is_of_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = re.search(r'^version = "(.+)"', Path(ROOT / "pyproject.toml").read_text(), re.M)
    assert version
    assert chart["appVersion"] == version[1]
