#!/usr/bin/env bash
# Measures as performance-check.sh does and keeps that as the baseline; after a release, and every month.
set -euo pipefail
WRITE_BASELINE=true exec "$(dirname "$0")/performance-check.sh"
