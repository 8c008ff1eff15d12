#!/usr/bin/env bash
# Is the platform as fast as promised, and not much slower than its baseline? A line for each measurement; exit 1 when not.
#
#   API       95 of 100 requests within 1.2 s, and within twice the baseline
#   console   its page within 3 s, what it loads at first below 2 MB as sent
#
# REQUESTS       40        API_PATH   /api/health, which asks the database and the files
# BASELINE_FILE  performance-baseline.json in LOGS_DIR (scripts/performance-baseline.sh writes it)
# WRITE_BASELINE true: write what was measured there
# (scripts/lib/operations.sh has the addresses)
set -euo pipefail
# shellcheck source=scripts/lib/operations.sh
. "$(dirname "$0")/lib/operations.sh"
baseline="${BASELINE_FILE:-$logs_dir/performance-baseline.json}"
page="${CONSOLE_URL:-$orchestrator/console/}"
at_least_seconds=0.05 # twice a baseline of two milliseconds is nothing to wake anybody for

bad=0
judge() { # NAME MEASURED LIMIT UNIT
  if above "$2" "$3"; then printf 'SLOW    %-22s %s %s, at most %s\n' "$1" "$2" "$4" "$3"; bad=1;
  else printf 'OK      %-22s %s %s, at most %s\n' "$1" "$2" "$4" "$3"; fi
}

api="$(p95 "${REQUESTS:-40}" "$orchestrator${API_PATH:-/api/health}")"
judge "API, P95" "$api" 1.2 s
if [ -s "$baseline" ] && [ "${WRITE_BASELINE:-false}" != true ]; then
  before="$(sed -n 's/.*"api_p95_seconds": \([0-9.]*\).*/\1/p' "$baseline")"
  limit="$(awk -v b="$before" -v least="$at_least_seconds" 'BEGIN { print (2 * b > least) ? 2 * b : least }')"
  judge "API, beside baseline" "$api" "$limit" s
fi

console=null
if [ "$(status "$page")" = 200 ]; then
  began="$(date +%s%N)"
  html="$(curl -sf --compressed --max-time 30 "$page")"
  bytes="${#html}"
  origin="$(sed -E 's|(https?://[^/]+).*|\1|' <<<"$page")"
  while read -r path; do
    bytes=$((bytes + $(curl -s -o /dev/null --max-time 30 -H 'Accept-Encoding: br, gzip' -w '%{size_download}' "$origin$path")))
  done < <(grep -oE '(src|href)="/[^"]+"' <<<"$html" | sed -E 's/.*"(.+)"/\1/' | sort -u)
  console="$(awk -v ns="$(($(date +%s%N) - began))" 'BEGIN { printf "%.3f", ns / 1e9 }')"
  judge "console, first page" "$console" 3 s
  judge "console, as sent" "$bytes" 2000000 bytes
else
  echo "SKIPPED console                $page does not answer 200"
fi

if [ "${WRITE_BASELINE:-false}" = true ]; then
  mkdir -p "$(dirname "$baseline")"
  printf '{"at": "%s", "api_p95_seconds": %s, "console_seconds": %s}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$api" "$console" >"$baseline"
  echo "baseline: $baseline"
fi
exit "$bad"
