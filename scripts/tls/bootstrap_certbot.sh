#!/usr/bin/env bash
# The first certificate of Let's Encrypt for one or more names, by certbot.
#
#   scripts/tls/bootstrap_certbot.sh --email ops@example.com chat.example.com [more names]
#
# --staging   ask Let's Encrypt's staging service: to try the procedure without using up the limits
# --webroot D answer the challenge with files below D (another server holds port 80); default: certbot listens on port 80
# --dry-run   ask for nothing that is kept
set -euo pipefail

usage() { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }

email="" webroot="" extra=() names=()
while [ $# -gt 0 ]; do
  case "$1" in
    --email) email="${2:-}"; shift 2 ;;
    --webroot) webroot="${2:-}"; shift 2 ;;
    --staging) extra+=(--test-cert); shift ;;
    --dry-run) extra+=(--dry-run); shift ;;
    -h | --help) usage ;;
    -*) echo "bootstrap_certbot: unknown option $1" >&2; usage ;;
    *) names+=("$1"); shift ;;
  esac
done
if [ -z "$email" ] || [ ${#names[@]} -eq 0 ]; then usage; fi
for name in "${names[@]}"; do
  [[ "$name" =~ ^[A-Za-z0-9.-]+\.[A-Za-z]{2,}$ ]] || { echo "bootstrap_certbot: '$name' is no domain name" >&2; exit 2; }
done
command -v certbot >/dev/null || { echo "bootstrap_certbot: certbot is not installed (Debian: apt-get install certbot)" >&2; exit 1; }

if [ -n "$webroot" ]; then how=(--webroot --webroot-path "$webroot"); else how=(--standalone); fi
domains=()
for name in "${names[@]}"; do domains+=(-d "$name"); done

certbot certonly "${how[@]}" "${domains[@]}" --cert-name "${names[0]}" --email "$email" --agree-tos --no-eff-email \
  --non-interactive --keep-until-expiring --key-type ecdsa "${extra[@]}"

live="${LETSENCRYPT_DIR:-/etc/letsencrypt}/live/${names[0]}"
echo "certificate of ${names[*]}: $live"
echo "Say so in /etc/xin/edge.env:  EDGE_TLS=tls $live/fullchain.pem $live/privkey.pem"
echo "The edge's user must be able to read it; then: systemctl restart xin-caddy"
