#!/usr/bin/env bash
# Before a deployment: would the manifests render, is the namespace there, are the secrets in it?
#
#   scripts/preflight_check.sh [namespace] [release] [values-file]
#                              xin-staging  xin-platform  deploy/helm/xin-platform/values-staging.yaml
#
# EXTERNAL_SECRET_NAME  the Secret that must be synced      xin-orchestrator-secrets
# CHECK_METRICS         true: ask /metrics from inside the cluster too
# METRICS_SERVICE_HOST  METRICS_SERVICE_PORT  METRICS_SERVICE_PATH     <release>-xin-platform-orchestrator 8000 /metrics
# IMAGE                 the image with curl in it           curlimages/curl:8.5.0
# HELM  KUBECTL         the programs                        helm kubectl
set -euo pipefail
here="$(cd "$(dirname "$0")/.." && pwd)"

namespace="${1:-xin-staging}"
release="${2:-xin-platform}"
chart="$here/deploy/helm/xin-platform"
values="${3:-$chart/values-staging.yaml}"
secret="${EXTERNAL_SECRET_NAME:-xin-orchestrator-secrets}"
image="${IMAGE:-curlimages/curl:8.5.0}"
helm="${HELM:-helm}" kubectl="${KUBECTL:-kubectl}"
# shellcheck source=scripts/lib/cluster.sh
. "$here/scripts/lib/cluster.sh"

ok() { echo "OK: $*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }

echo "Preflight: namespace=$namespace release=$release values=$values"
for program in "$helm" "$kubectl"; do
  command -v "$program" >/dev/null || fail "$program is not installed"
done
[ -f "$values" ] || fail "there is no values file $values"

manifests="$(mktemp)"
trap 'rm -f "$manifests"' EXIT
"$helm" template "$release" "$chart" --namespace "$namespace" --values "$values" >"$manifests" ||
  fail "helm template does not render $values; its message is above"
ok "the manifests render"

"$kubectl" get namespace "$namespace" >/dev/null ||
  fail "namespace $namespace does not exist, or this context may not see it (kubectl create namespace $namespace)"
ok "namespace $namespace"

if grep -q '^kind: ExternalSecret$' "$manifests"; then
  "$kubectl" get crd externalsecrets.external-secrets.io >/dev/null ||
    fail "the External Secrets operator is not installed in this cluster"
  "$kubectl" -n "$namespace" get secret "$secret" >/dev/null ||
    fail "secret $secret is not in $namespace: see 'kubectl -n $namespace describe externalsecret $secret'"
  ok "secret $secret is synced"
else
  while read -r name; do
    "$kubectl" -n "$namespace" get secret "$name" >/dev/null || fail "secret $name is not in $namespace"
    ok "secret $name"
  done < <(sed -n '/secretRef:/{n;s/.*name: *//p}' "$manifests" | sort -u)
fi

if [ "${CHECK_METRICS:-false}" = true ]; then
  host="${METRICS_SERVICE_HOST:-$release-xin-platform-orchestrator}"
  url="http://$host:${METRICS_SERVICE_PORT:-8000}${METRICS_SERVICE_PATH:-/metrics}"
  inside xin-preflight curl -sf --max-time 10 -o /dev/null "$url" </dev/null ||
    fail "$url does not answer from inside the cluster"
  ok "$url"
fi
echo "Preflight passed for $release in $namespace"
