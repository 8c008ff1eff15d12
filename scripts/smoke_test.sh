#!/usr/bin/env bash
# After a deployment: every rollout done, every service healthy from inside the cluster, and, where asked, an upload taken.
#
#   scripts/smoke_test.sh staging|production
#
# NAMESPACE             xin-staging, xin-prod               RELEASE   xin-platform
# IMAGE                 the image with curl in it           curlimages/curl:8.5.0
# ROLLOUT_TIMEOUT       180s, for each deployment
# INGESTION_URL         POST INGESTION_PAYLOAD there (with INGESTION_TOKEN as bearer, where it is set)
# INGESTION_PAYLOAD     {"title": "smoke", "content": "hello"}
# INGESTION_VERIFY_URL  ask this until it answers 200, at most VERIFY_SECONDS (120)
# KUBECTL               kubectl
set -euo pipefail

environment="${1:-}"
case "$environment" in
  staging) namespace="${NAMESPACE:-xin-staging}" ;;
  production) namespace="${NAMESPACE:-xin-prod}" ;;
  *) echo "usage: smoke_test.sh staging|production" >&2; exit 2 ;;
esac
release="${RELEASE:-xin-platform}"
image="${IMAGE:-curlimages/curl:8.5.0}"
rollout_timeout="${ROLLOUT_TIMEOUT:-180s}"
kubectl="${KUBECTL:-kubectl}"
selector="app.kubernetes.io/instance=$release"
# shellcheck source=scripts/lib/cluster.sh
. "$(dirname "$0")/lib/cluster.sh"

fail() { echo "FAILED: $*" >&2; exit 1; }

probe() { inside xin-smoke "$@"; }

echo "Using namespace=$namespace release=$release"
deployments="$("$kubectl" -n "$namespace" get deployments -l "$selector" -o 'jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}')"
[ -n "$deployments" ] || fail "no deployment of $release in $namespace (label $selector)"
echo "Waiting for rollouts for deployments:"
echo "$deployments"
for deployment in $deployments; do
  echo "Waiting rollout for deployment/$deployment (timeout=$rollout_timeout)"
  "$kubectl" -n "$namespace" rollout status "deployment/$deployment" "--timeout=$rollout_timeout" ||
    fail "deployment/$deployment did not roll out: kubectl -n $namespace describe deployment $deployment"
done

# A canary has no pod but while scripts/deploy/canary.py runs.
services="$("$kubectl" -n "$namespace" get services -l "$selector,xin/track=stable" \
  -o 'jsonpath={range .items[*]}{.metadata.name}:{.spec.ports[0].port}{"\n"}{end}')"
[ -n "$services" ] || fail "no service of $release in $namespace"
for service in $services; do
  for path in /health /metrics; do
    echo "Probing http://$service$path"
    probe curl -sf --retry 3 --retry-delay 2 --retry-connrefused --max-time 10 -o /dev/null "http://$service$path" </dev/null ||
      fail "http://$service$path does not answer 2xx: kubectl -n $namespace logs deploy/${service%:*}"
    echo "OK: $service$path"
  done
done
echo "Service probes (/health and /metrics) passed for release $release in $environment"

if [ -n "${INGESTION_URL:-}" ]; then
  payload='{"title": "smoke", "content": "hello"}'
  payload="${INGESTION_PAYLOAD:-$payload}"
  who="it went without a token: set INGESTION_TOKEN, an API key of the tenant or what 'xin token' prints"
  [ -z "${INGESTION_TOKEN:-}" ] || who='is INGESTION_TOKEN still valid, and may it write the knowledge of that brand?'
  # curl reads its options, the token among them, from standard input.
  {
    printf 'url = "%s"\nheader = "Content-Type: application/json"\n' "$INGESTION_URL"
    [ -z "${INGESTION_TOKEN:-}" ] || printf 'header = "Authorization: Bearer %s"\n' "$INGESTION_TOKEN"
    printf 'data = "%s"\n' "$(printf %s "$payload" | sed 's/\\/\\\\/g; s/"/\\"/g')"
  } | probe curl -sf --max-time 30 -o /dev/null --config - || fail "POST $INGESTION_URL was refused; $who"
  echo "POST succeeded"
fi
if [ -n "${INGESTION_VERIFY_URL:-}" ]; then
  deadline=$((SECONDS + ${VERIFY_SECONDS:-120}))
  until probe curl -sf --max-time 10 -o /dev/null "$INGESTION_VERIFY_URL" </dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || fail "GET $INGESTION_VERIFY_URL did not answer 200 in time"
    sleep 2
  done
  echo "Ingestion verified (GET $INGESTION_VERIFY_URL returned 200)"
fi
echo "Smoke tests passed for $environment"
