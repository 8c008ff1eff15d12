#!/usr/bin/env bash
# Appends the platform's figures as one line of JSON, for a machine without Prometheus: daily-report.sh reads them.
#
# HISTORY  hourly-metrics.jsonl in LOGS_DIR; the newest 1,000 lines are kept
# (scripts/lib/operations.sh has the addresses)
set -euo pipefail
# shellcheck source=scripts/lib/operations.sh
. "$(dirname "$0")/lib/operations.sh"
history="${HISTORY:-$logs_dir/hourly-metrics.jsonl}"

orchestrated="$(curl -sf --max-time 10 "$orchestrator/metrics")" || { echo "hourly-metrics: $orchestrator/metrics does not answer" >&2; exit 1; }
delivered="$(curl -sf --max-time 10 "$gateway/metrics" || true)"
ingested="$(curl -sf --max-time 10 "$ingestion/metrics" || true)"
automated="$(curl -sf --max-time 10 "$automation/metrics" || true)"

mkdir -p "$(dirname "$history")"
printf '{"at": "%s", "requests": %s, "errors": %s, "turns": %s, "sockets": %s, "deliveries_waiting": %s, "dead_letters": %s, "ingestion_waiting": %s, "automation_waiting": %s, "memory_bytes": %s, "disk_free_percent": %s}\n' \
  "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
  "$(figure "$orchestrated" http_requests_total)" \
  "$(figure "$orchestrated" http_requests_total 'status_code="5xx"')" \
  "$(figure "$orchestrated" turns_total)" \
  "$(figure "$delivered" live_sockets)" \
  "$(figure "$delivered" outbox_depth 'status="pending"')" \
  "$(figure "$delivered" outbox_depth 'status="dead"')" \
  "$(figure "$ingested" ingestion_queue_depth)" \
  "$(figure "$automated" automation_queue_depth)" \
  "$(figure "$orchestrated" process_resident_memory_bytes)" \
  "$(free_percent "$([ -d "$data_dir" ] && echo "$data_dir" || echo /)")" >>"$history"
tail -n 1000 "$history" >"$history.new" && mv "$history.new" "$history"
tail -n 1 "$history"
