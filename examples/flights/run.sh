#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A year of flights through the whole loop: README.md tells what you will see.
#   examples/flights/run.sh [--keep]      --keep: go on with the store and repository of the last run, and only look again
# SLIPWAY_BIN names the program (default build/release/slipway). Everything it makes is below build/flights.
# Exit: 0, however the story ends; 1 if an invariant is broken or a command failed; 2 if something to start with is missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
slipway=$(realpath -m "${SLIPWAY_BIN:-$root/build/release/slipway}")
work=$root/build/flights
venv=$root/build/venv
store=$work/store
repository=$work/repository
pid_file=$work/server.pid
keep=no

die() { printf 'flights: %s\n' "$1" >&2; exit "${2:-1}"; }
case "${1:-}" in
  '') ;;
  --keep) keep=yes ;;
  *) die "unknown argument $1; the only one is --keep" 2 ;;
esac
[ -x "$slipway" ] || die "no program at $slipway; run \`make build\`, or name it with SLIPWAY_BIN" 2
[ -x "$venv/bin/python" ] || die "no Python packages in $venv; run \`scripts/setup python\`" 2

# Nothing of the caller's may lead the example elsewhere: its server is the one started here.
unset SLIPWAY_URL SLIPWAY_TOKEN MLFLOW_TRACKING_URI MLFLOW_TRACKING_TOKEN MLFLOW_RUN_ID MLFLOW_EXPERIMENT_NAME MLFLOW_EXPERIMENT_ID
export PATH=$(dirname "$slipway"):$venv/bin:$PATH
export PYTHONPYCACHEPREFIX=$root/build/pycache PYTHONDONTWRITEBYTECODE= MLFLOW_DISABLE_TELEMETRY=true MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR=false
export DVC_NO_ANALYTICS=1 DVC_SITE_CACHE_DIR=$work/dvc-site
export GIT_AUTHOR_NAME=flights GIT_AUTHOR_EMAIL=flights@example.invalid
export GIT_COMMITTER_NAME=flights GIT_COMMITTER_EMAIL=flights@example.invalid

terminal=no
if [ -t 1 ] && [ -z "${CI:-}" ]; then terminal=yes; fi
began=$SECONDS
step() { printf '\n[%3d s] %s\n' $((SECONDS - began)) "$*"; }
show() { printf '         $ %s\n' "$*"; "$@"; }  # what you would type, then what it says

server_pid=
arms_pid=
leave_up=no
finish() {
  local status=$?
  trap - EXIT INT TERM
  if [ -n "$arms_pid" ]; then kill "$arms_pid" 2>/dev/null || true; fi
  if [ -n "$server_pid" ] && [ "$leave_up" = no ]; then stop_server "$server_pid"; rm -f "$pid_file"; fi
  if [ "$status" != 0 ] && [ -s "$work/server.log" ]; then
    printf 'flights: the last lines of %s:\n' "$work/server.log" >&2
    tail -n 15 "$work/server.log" >&2
  fi
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

stop_server() {
  kill -TERM "$1" 2>/dev/null || return 0
  for _ in $(seq 150); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
}

start_server() {
  : >"$work/server.out"
  # In a session of its own, so that Ctrl-C here ends it in order and it can outlive this script.
  setsid "$slipway" server --data "$store" --listen "${FLIGHTS_LISTEN:-127.0.0.1:0}" \
    >"$work/server.out" 2>>"$work/server.log" </dev/null &
  server_pid=$!
  printf '%s\n' "$server_pid" >"$pid_file"
  for _ in $(seq 300); do
    url=$(sed -n 's/^listening on //p' "$work/server.out")
    [ -z "$url" ] || break
    kill -0 "$server_pid" 2>/dev/null || die "the server ended before it was ready"
    sleep 0.1
  done
  [ -n "$url" ] || die "the server did not get ready in 30 s"
  export SLIPWAY_URL=$url
  SLIPWAY_TOKEN=$(cat "$store/token")
  export SLIPWAY_TOKEN
}

make_repository() {
  mkdir -p "$repository"
  cp -R "$here/project/." "$repository/"
  cp "$work/data/flights.csv" "$repository/data/flights.csv"
  cd "$repository"
  git init -q -b main .
  show dvc init -q  # DVC's own hand: the repository is any team's, and Slipway finds it so
  show dvc add -q data/flights.csv
  git add -A .
  git -c commit.gpgsign=false commit -q -m 'Predict late arrivals'
}

mkdir -p "$work"
if [ -s "$pid_file" ]; then  # a server that an earlier run left up; only if that process is one on our store
  old=$(cat "$pid_file")
  if tr '\0' ' ' <"/proc/$old/cmdline" 2>/dev/null | grep -qF -- "server --data $store "; then stop_server "$old"; fi
  rm -f "$pid_file"
fi

step "the world: flights and weather of 2013"
stamp=$(cat "$here/make_data.py" "$here/project/categories.json" "$root/scripts/requirements.txt" | sha256sum | cut -c1-16)
if [ "$(cat "$work/data/stamp" 2>/dev/null)" != "$stamp" ]; then
  python "$here/make_data.py" "$work/data"
  printf '%s\n' "$stamp" >"$work/data/stamp"
fi
printf '         %d flights up to February to learn from, %d from March to December to come\n' \
  "$(($(wc -l <"$work/data/flights.csv") - 1))" "$(wc -l <"$work/data/replay.jsonl")"
python "$here/arms.py" --out "$work/arms.json" --cache "$work/cache" 2>"$work/arms.log" &
arms_pid=$!

if [ "$keep" = no ]; then
  rm -rf "$repository" "$store"
  : >"$work/server.log"
  step "a repository, as a data scientist keeps it: $repository"
  make_repository
fi
[ -d "$repository" ] || die "there is no run to keep; start without --keep" 2
cd "$repository"

step "the server"
start_server
printf '         %s, store in %s, log in %s\n' "$url" "$store" "$work/server.log"

if [ "$keep" = no ]; then
  step "what is to run in production, as code"
  show slipway apply
  step "January and February: data, training, evaluation"
  show slipway repro
  step "the first version: the gate has no champion to compare it with, and says so"
  show slipway model promote late-arrival/1 --reason 'first version'

  wait "$arms_pid" || die "the arms of comparison failed: $(tail -n 1 "$work/arms.log")"
  arms_pid=
  step "March to December, day by day; after each day everything that it caused is worked off"
  show slipway endpoint replay "$work/data/replay.jsonl" --endpoint late-arrival
fi

step "the story"
show slipway story

if [ -n "$arms_pid" ]; then
  wait "$arms_pid" || die "the arms of comparison failed: $(tail -n 1 "$work/arms.log")"
  arms_pid=
fi
step "what it was worth, and whether the books are right"
python "$here/summary.py" --url "$url" --token-file "$store/token" --replay "$work/data/replay.jsonl" --arms "$work/arms.json" --out "$work/summary.json"

step "done"
if [ "$terminal" = yes ]; then
  leave_up=yes
  printf '         The server is still up. Look:   %s/\n' "$url"
  printf '         or ask:   export SLIPWAY_URL=%s SLIPWAY_TOKEN=$(cat %s/token); %s story\n' "$url" "$store" "$slipway"
  printf '         Stop it:  kill %s\n' "$server_pid"
fi
