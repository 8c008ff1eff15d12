#!/usr/bin/env bash
# Once a month: a full backup proven whole, certificates, an audit of what Xin is made of, a new baseline of its speed. Every
# step is run and says how it went; exit 1 when one failed.
#
# ENV_FILE  BACKUP_BUCKET   as of scripts/backups/create_backup.sh
# RENEW                     true: certbot's certificates too
# AUDIT                     true; false asks no database of vulnerabilities. Only those are asked whose tool is installed
# (scripts/lib/operations.sh has the addresses)
set -euo pipefail
# shellcheck source=scripts/lib/operations.sh
. "$(dirname "$0")/lib/operations.sh"

full_backup() {
  local made
  made="$("$root/scripts/backups/create_backup.sh")" || return 1
  printf '%s\n' "$made"
  "$python" -m chatbot backup verify ${ENV_FILE:+--env-file "$ENV_FILE"} "${made%%: *}"
}

echo "=== Xin monthly maintenance $(date -u +%Y-%m-%dT%H:%M:%SZ) ==="
cd "$root"
step "backup, proven whole" full_backup
if [ "${RENEW:-false}" = true ]; then step "certificates" "$root/scripts/tls/renew_certificates.sh"; fi
if [ "${AUDIT:-true}" = true ]; then step "audit of dependencies" "$python" -m scripts.audit --installed; fi
step "baseline of speed" "$root/scripts/performance-baseline.sh"
exit "$failed"
