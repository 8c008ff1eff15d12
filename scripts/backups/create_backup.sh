#!/usr/bin/env bash
# A backup of rows, files and vectors, taken while the platform runs: ENV_FILE names its settings, BACKUP_BUCKET where
# a copy goes. Cron calls this at night; `xin backup --help` has the rest.
set -euo pipefail
env_file="${ENV_FILE:+$(realpath "$ENV_FILE")}"
cd "$(dirname "$0")/../.."
exec "${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}" -m chatbot backup create ${env_file:+--env-file "$env_file"} "$@"
