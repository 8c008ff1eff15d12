#!/usr/bin/env bash
# Restore a backup: --timestamp 20250110T120000Z --env-file … --bucket … . The platform must not run; what was there
# before is kept beside what is restored. `xin backup restore --help` has the rest.
set -euo pipefail
arguments=()
for argument in "$@"; do # files are named from where the caller is
  if [ -f "$argument" ]; then argument="$(realpath -- "$argument")"; fi
  arguments+=("$argument")
done
cd "$(dirname "$0")/.."
exec "${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}" -m chatbot backup restore ${arguments[@]+"${arguments[@]}"}
