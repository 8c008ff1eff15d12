#!/usr/bin/env bash
# Renews what certbot has issued and lets the edge take it; for cron or a timer. Does nothing for a certificate that is still
# good for 30 days. Exit 1 with a sentence when a renewal failed.
#
#   scripts/tls/renew_certificates.sh [--dry-run] [--force]
#
# RELOAD_COMMAND  how the edge is told, once for each certificate that changed (systemctl reload xin-caddy)
set -euo pipefail

extra=()
for argument in "$@"; do
  case "$argument" in
    --dry-run) extra+=(--dry-run) ;;
    --force) extra+=(--force-renewal) ;;
    *) echo "renew_certificates: unknown option $argument" >&2; exit 2 ;;
  esac
done
command -v certbot >/dev/null || { echo "renew_certificates: certbot is not installed (Debian: apt-get install certbot)" >&2; exit 1; }

if certbot renew --quiet --non-interactive --deploy-hook "${RELOAD_COMMAND:-systemctl reload xin-caddy}" "${extra[@]}"; then
  echo "certificates: up to date"
else
  echo "renew_certificates: a certificate could not be renewed; 'certbot certificates' tells which and how long it is good" >&2
  exit 1
fi
