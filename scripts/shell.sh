#!/usr/bin/env bash
# A shell, or one command, with the settings of a server's units: those of ENV_FILE as they stand there, and the units' folders.
# A shell that reads that file itself (`. xin.env`) takes `&`, `;`, `$` and blanks in a value for its own: DATABASE_URL is
# another then, or none, and every command works on another database.
#
#   runuser -u xin -- /opt/xin/scripts/shell.sh [COMMAND…]
#
# ENV_FILE  /etc/xin/xin.env
set -euo pipefail
file="$(realpath -- "${ENV_FILE:-/etc/xin/xin.env}")"
cd "$(dirname "$0")/.."
export XIN_DATA_DIR=/var/lib/xin LOGS_DIR=/var/log/xin PATH="$PWD/.venv/bin:$PATH"

# As systemd reads an EnvironmentFile: a setting a line, no comment behind it, and quotes around a whole value are not of it.
while IFS= read -r line || [ -n "$line" ]; do
  [[ "$line" =~ ^[[:space:]]*([A-Za-z_][A-Za-z0-9_]*)=[[:space:]]*(.*)$ ]] || continue
  name="${BASH_REMATCH[1]}" value="${BASH_REMATCH[2]}"
  value="${value%"${value##*[![:space:]]}"}"
  if [[ "$value" =~ ^\"(.*)\"$ || "$value" =~ ^\'(.*)\'$ ]]; then value="${BASH_REMATCH[1]}"; fi
  export "$name=$value"
done <"$file"

if [ "$#" -eq 0 ]; then set -- bash; fi
exec "$@"
