#!/usr/bin/env bash
# The last day in words: health, requests and errors, what waits, disk, backups, certificates. Exit 1 when something is wrong.
#
# HISTORY             as of hourly-metrics.sh        BACKUP_DIR  backups below DATA_DIR
# CERTIFICATES        files in PEM whose end to tell, separated by blanks
# REPORT_WEBHOOK_URL  posts {"text": …} there too (Slack understands it)
# (scripts/lib/operations.sh has the addresses)
set -euo pipefail
# shellcheck source=scripts/lib/operations.sh
. "$(dirname "$0")/lib/operations.sh"
history="${HISTORY:-$logs_dir/hourly-metrics.jsonl}"
backups="$(folder "$(setting BACKUP_DIR "$data_dir/backups")")"

wrong=0
say_wrong() { echo "WRONG   $*"; wrong=1; }

field() { sed -n "s/.*\"$2\": \([0-9.e+]*\).*/\1/p" <<<"$1"; }

# A counter begins anew with its process: then what it says is what came since.
grown() { # NAME
  local before after
  before="$(field "$first" "$1")" after="$(field "$last" "$1")"
  awk -v a="$before" -v b="$after" 'BEGIN { printf "%d\n", (b >= a) ? b - a : b }'
}

traffic() {
  if [ ! -s "$history" ]; then echo "Figures: none yet (scripts/hourly-metrics.sh keeps them)"; return; fi
  last="$(tail -n 1 "$history")" first="$(tail -n 25 "$history" | head -n 1)"
  local requests errors
  requests="$(grown requests)" errors="$(grown errors)"
  echo "Requests: $requests, answered with an error of ours: $errors. Turns: $(grown turns)."
  if above "$errors" "$(awk -v n="$requests" 'BEGIN { print n * 0.005 }')"; then say_wrong "more than 0.5 % errors"; fi
  echo "Waiting: ingestion $(field "$last" ingestion_waiting), deliveries $(field "$last" deliveries_waiting), automation $(field "$last" automation_waiting)."
  if above "$(field "$last" dead_letters)" 0; then say_wrong "$(field "$last" dead_letters) dead letters (GET /admin/deliveries?status=dead)"; fi
}

backup_age() {
  local newest
  newest="$(find "$backups" -name 'xin-backup-*' -type f -printf '%T@ %f\n' 2>/dev/null | sort -n | tail -n 1)" || newest=""
  if [ -z "$newest" ]; then say_wrong "no backup in $backups"; return; fi
  local hours=$((($(date +%s) - ${newest%%.*}) / 3600))
  echo "Newest backup: ${newest#* }, $hours h old."
  if [ "$hours" -gt 26 ]; then say_wrong "the newest backup is older than a day"; fi
}

certificates() {
  local file
  for file in ${CERTIFICATES:-}; do
    echo "Certificate $file: $(openssl x509 -noout -enddate -in "$file" | sed 's/notAfter=/good until /')"
    openssl x509 -noout -checkend $((14 * 86400)) -in "$file" >/dev/null || say_wrong "$file ends within 14 days"
  done
}

# Run here, not in a substitution's own shell: `wrong` must be heard of.
report="$(mktemp)"
trap 'rm -f "$report"' EXIT
{
  echo "Xin, the day until $(date -u '+%Y-%m-%d %H:%M') UTC"
  echo
  "$root/scripts/health-check.sh" | tail -n +2 || wrong=1
  echo
  traffic
  backup_age
  certificates
} >"$report"
cat "$report"

if [ -n "${REPORT_WEBHOOK_URL:-}" ]; then
  "$python" -c 'import json, sys; json.dump({"text": sys.stdin.read()}, sys.stdout)' <"$report" |
    curl -sf --max-time 20 -H 'Content-Type: application/json' --data-binary @- -o /dev/null "$REPORT_WEBHOOK_URL" ||
    { echo "daily-report: REPORT_WEBHOOK_URL did not take the report" >&2; exit 1; }
fi
exit "$wrong"
