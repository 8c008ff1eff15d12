#!/usr/bin/env bash
# The whole platform in containers on this machine, with TLS and observability: `make deploy-dev`.
#
# At the first run copies deploy/compose/.env.dev.example to .env.dev and fills each empty secret with a random value. Builds
# the images, starts the database, migrates it, starts everything and waits until HEALTH_URL answers.
#
# COMPOSE_ENV_FILE   deploy/compose/.env.dev; containers take their settings from it too
# OBSERVABILITY      true; false leaves Prometheus, Grafana and their kin out
# BUILD              true; false takes the images of IMAGE_REGISTRY and IMAGE_TAG
# HEALTH_URL         https://localhost:8443/health
# WAIT_SECONDS       180, from when everything was started
set -euo pipefail
cd "$(dirname "$0")/../.."

export COMPOSE_ENV_FILE="${COMPOSE_ENV_FILE:-deploy/compose/.env.dev}"
env_file="$COMPOSE_ENV_FILE"
health_url="${HEALTH_URL:-https://localhost:8443/health}"
wait_seconds="${WAIT_SECONDS:-180}"

fail() { echo "deploy_dev: $*" >&2; exit 1; }

command -v docker >/dev/null || fail "docker is not installed"
docker compose version >/dev/null 2>&1 || fail "the compose plugin of docker is not installed"
command -v openssl >/dev/null || fail "openssl is not installed (it makes the secrets)"

if [ ! -f "$env_file" ]; then
  (umask 077 && cp deploy/compose/.env.dev.example "$env_file")
  echo "made $env_file"
fi
for name in POSTGRES_PASSWORD GRAFANA_ADMIN_PASSWORD ADMIN_JWT_SECRET EMBED_JWT_SECRET LOG_TOKEN GATEWAY_TOKEN \
  GATEWAY_WEBHOOK_SECRET XIN_ENCRYPTION_KEYS; do
  grep -q "^$name=$" "$env_file" || continue
  if [ "$name" = XIN_ENCRYPTION_KEYS ]; then value="$(openssl rand -base64 32 | tr '+/' '-_')"; else value="$(openssl rand -hex 32)"; fi
  sed -i "s|^$name=$|$name=$value|" "$env_file"
  echo "made a random $name"
done

compose=(docker compose --env-file "$env_file" -f docker-compose.yml)
if [ "${OBSERVABILITY:-true}" = true ]; then compose+=(-f deploy/observability/docker-compose.yml); fi

if [ "${BUILD:-true}" = true ]; then "${compose[@]}" build; fi
"${compose[@]}" up -d --wait postgres
"${compose[@]}" run --rm migrate
"${compose[@]}" up -d --remove-orphans

echo "waiting for $health_url"
deadline=$((SECONDS + wait_seconds))
until curl -ksf -o /dev/null --max-time 5 "$health_url"; do
  [ "$SECONDS" -lt "$deadline" ] || { "${compose[@]}" ps; fail "$health_url does not answer 200 after $wait_seconds s"; }
  sleep 1
done
echo "Xin is ready:  https://localhost:8443/console/   API: https://localhost:8443/docs   Grafana: http://localhost:3000"
echo "A token for the API:  docker exec xin_orchestrator xin token"
