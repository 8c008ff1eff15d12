#!/usr/bin/env bash
# Runs a command of cron's. What it says goes to the end of a file; where it fails, to standard error too, which cron mails:
# cron never tells an exit code.
#
#   scripts/logged.sh FILE COMMAND…
set -euo pipefail
file="${1:?usage: logged.sh FILE COMMAND…}"
shift

code=0
said="$("$@" 2>&1 | tee -a "$file")" || code=$?
if [ "$code" -ne 0 ]; then printf '%s\n' "FAILED with $code: $* (the log is $file)" "$said" >&2; fi
exit "$code"
