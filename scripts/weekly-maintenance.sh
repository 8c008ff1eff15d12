#!/usr/bin/env bash
# Once a week, while the platform runs: the database tidied (VACUUM ANALYZE, REINDEX without locks), old log files removed,
# disk and speed looked at. Every step is run and says how it went; exit 1 when one failed.
#
# LOG_DAYS  7: rotated log files older than this are removed
# ENV_FILE  the platform's settings, which name its database; .env in the checkout without it
# (scripts/lib/operations.sh has the addresses)
set -euo pipefail
# shellcheck source=scripts/lib/operations.sh
. "$(dirname "$0")/lib/operations.sh"
days="${LOG_DAYS:-7}"

updates() { apt list --upgradable 2>/dev/null | sed -n 's|/.*||; 2,$p' | head -n 20; }
set_aside() { # what cron's scripts said, which no process of the platform rotates
  local file
  for file in "$logs_dir/operations.log" "$logs_dir/certificates.log"; do
    [ ! -s "$file" ] || mv -v "$file" "$file.$(date -u +%Y-%m-%dT%H%M%S)" || return 1
  done
}
old_logs() { [ ! -d "$logs_dir" ] || find "$logs_dir" -maxdepth 1 -type f -name '*.log.*' -mtime "+$days" -print -delete; }
disk() {
  local free
  free="$(free_percent "$([ -d "$data_dir" ] && echo "$data_dir" || echo /)")"
  echo "$free % free"
  [ "$free" -ge 20 ] || return 1
}

echo "=== Xin weekly maintenance $(date -u +%Y-%m-%dT%H:%M:%SZ) ==="
cd "$root"
if command -v apt >/dev/null; then step "packages that could be updated" updates; fi
step "logs of cron set aside" set_aside
step "log files older than $days days" old_logs
step "database: vacuum, analyze, reindex" "$python" -m chatbot maintain ${ENV_FILE:+--env-file "$ENV_FILE"}
step "disk" disk
step "speed" "$root/scripts/performance-check.sh"
exit "$failed"
