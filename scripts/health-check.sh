#!/usr/bin/env bash
# A line for each component: OK or FAILED with the reason. Exit 1 when one failed. For cron, every five minutes.
#
# COMPONENTS  which processes run here; those of `make run` are "orchestrator gateway ingestion automation console", a
#             deployment adds "bot-manager" (that of `make run` is among what its orchestrator finds)
# QUIET       true: only what failed
# (scripts/lib/operations.sh has the addresses)
set -euo pipefail
# shellcheck source=scripts/lib/operations.sh
. "$(dirname "$0")/lib/operations.sh"

bad=0
line() { # RESULT NAME WORDS
  if [ "$1" = FAILED ]; then bad=1; elif [ "${QUIET:-false}" = true ]; then return 0; fi
  printf '%-7s %-17s %s\n' "$1" "$2" "$3"
}
answers() { # NAME URL
  local got
  got="$(status "$2")"
  if [ "$got" = 200 ]; then line OK "$1" "$2"; elif [ "$got" = 000 ]; then line FAILED "$1" "$2 does not answer";
  else line FAILED "$1" "$2 answers $got"; fi
}

[ "${QUIET:-false}" = true ] || echo "=== Xin health check $(date -u +%Y-%m-%dT%H:%M:%SZ) ==="
for component in ${COMPONENTS:-orchestrator gateway ingestion automation console}; do
  case "$component" in
    orchestrator) answers orchestrator "$orchestrator/health/ready" ;;
    gateway) answers gateway "$gateway/health/ready" ;;
    ingestion) answers ingestion-worker "$ingestion/health/ready" ;;
    automation) answers automation-worker "$automation/health/ready" ;;
    bot-manager) answers bot-manager "$bot_manager/health/ready" ;;
    console) answers console "${CONSOLE_URL:-$orchestrator/console/}" ;;
    *) line FAILED "$component" "is no component of Xin" ;;
  esac
done

# The database, the files, Redis and, of `make run`, the bot manager as the orchestrator finds them.
dependencies="$(ask "$orchestrator/health" | sed -n 's/.*"dependencies":{\([^}]*\)}.*/\1/p' | tr ',' '\n' || true)"
while IFS=: read -r name said; do
  [ -n "$name" ] || continue
  name="${name//\"/}" said="${said//\"/}"
  if [ "$said" = ok ]; then line OK "$name" ok; else line FAILED "$name" "$said"; fi
done <<<"$dependencies"

free="$(free_percent "$([ -d "$data_dir" ] && echo "$data_dir" || echo /)")"
if [ "$free" -lt 10 ]; then line FAILED disk "$free % free"; else line OK disk "$free % free"; fi
exit "$bad"
