# shellcheck shell=bash
# What the daily scripts share: where the processes are, how one is asked, how a figure is read. Sourced, not run.
#
# Ports and folders are those of the platform's settings: of the environment, of ENV_FILE, else of .env in the checkout.
# Where a process is on another machine, say so:
#
# ORCHESTRATOR_URL  http://127.0.0.1:8000     INGEST_METRICS_URL       http://127.0.0.1:9103
# GATEWAY_URL       http://127.0.0.1:8080     AUTOMATION_METRICS_URL   http://127.0.0.1:9104
#                                             BOT_MANAGER_URL          http://127.0.0.1:9105
# DATA_DIR          .xin below the checkout   LOGS_DIR                 logs below it

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

# setting NAME DEFAULT: the value that the platform has, without the quotes of its file.
setting() {
  local file="${ENV_FILE:-$root/.env}" value="${!1:-}"
  if [ -z "$value" ] && [ -r "$file" ]; then
    value="$(sed -nE "s/[[:space:]]+$//; s/^[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*=[[:space:]]*//p" "$file" | tail -n 1)"
    value="${value#[\"\']}" value="${value%[\"\']}"
  fi
  printf '%s\n' "${value:-$2}"
}

# folder PATH: a relative one is the checkout's, where the platform runs.
folder() { case "$1" in /*) printf '%s\n' "$1" ;; *) printf '%s\n' "$root/$1" ;; esac; }

# shellcheck disable=SC2034  # those who source this read them
{
  orchestrator="${ORCHESTRATOR_URL:-http://127.0.0.1:$(setting ORCHESTRATOR_PORT 8000)}"
  gateway="${GATEWAY_URL:-http://127.0.0.1:$(setting GATEWAY_PORT 8080)}"
  ingestion="${INGEST_METRICS_URL:-http://127.0.0.1:$(setting INGEST_METRICS_PORT 9103)}"
  automation="${AUTOMATION_METRICS_URL:-http://127.0.0.1:$(setting AUTOMATION_METRICS_PORT 9104)}"
  bot_manager="${BOT_MANAGER_URL:-http://127.0.0.1:$(setting BOT_MANAGER_METRICS_PORT 9105)}"
  data_dir="$(folder "${DATA_DIR:-$(setting XIN_DATA_DIR .xin)}")"
  logs_dir="$(folder "$(setting LOGS_DIR "$data_dir/logs")")"
}
python="${PYTHON:-$root/.venv/bin/python}"
[ -x "$python" ] || python=python3

# ask URL: print the answer whatever its status; exit 1 when nothing answers.
ask() { curl -s --max-time 10 "$1"; }

# status URL: print the HTTP status, 000 when nothing answers.
status() { curl -s -o /dev/null --max-time 10 -w '%{http_code}' "$1" || true; }

# figure METRICS NAME [LABELS]: the sum of a metric's series in a text of Prometheus, 0 where there is none; without those of
# probes and scrapes, which nobody asked for an answer (chatbot/core/metrics.py: NOT_ASKED_FOR).
figure() {
  printf '%s\n' "$1" | awk -v name="$2" -v labels="${3:-}" '
    /route="(\/health[^"]*|\/api\/health|\/webhooks\/health|(\/api)?\/metrics)"/ { next }
    $0 !~ /^#/ && ($1 == name || index($1, name "{") == 1) && (labels == "" || $1 ~ labels) { sum += $NF }
    END { printf "%.10g\n", sum }'
}

# p95 COUNT URL: seconds within which 95 of 100 requests were answered; exit 1 when one was not answered 200.
p95() {
  local times
  times="$(for _ in $(seq "$1"); do
    curl -sf -o /dev/null --max-time 30 -w '%{time_total}\n' "$2" || { echo "$2 does not answer 200" >&2; exit 1; }
  done)" || return 1
  printf '%s\n' "$times" | sort -n | awk '{ seconds[NR] = $1 } END { place = int(NR * 0.95 + 0.999); print seconds[place] }'
}

# above A B: whether the number A is greater than B.
above() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > b) }'; }

# free_percent FOLDER: how much of its disk is free, as the alert and `xin doctor` count it.
free_percent() { df -P "$1" | awk 'NR == 2 { printf "%d\n", 100 * $4 / $2 }'; }

# shellcheck disable=SC2034  # those who source this exit with it
failed=0
# step NAME COMMAND…: run one step of a maintenance and say how it went; the next ones run all the same.
step() {
  local name="$1" output
  shift
  if output="$("$@" 2>&1)"; then
    echo "OK      $name"
  else
    echo "FAILED  $name"
    # shellcheck disable=SC2034
    failed=1
  fi
  [ -z "$output" ] || printf '%s\n' "$output" | sed 's/^/          /'
}
