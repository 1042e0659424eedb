# What the real servers of `make test-…` share: sourced by their run.sh, which sets WHAT (its name).
# RUN is a folder of this run; whatever is put into PIDS is ended, the last started first.
RUN=$(mktemp -d)
PIDS=()
PYTHON="$PWD/.venv/bin/python"

stop() {  # PostgreSQL takes SIGINT as: now, whoever is connected
  local at
  for ((at = ${#PIDS[@]} - 1; at >= 0; at--)); do
    kill -s "$([ "$at" = 0 ] && echo INT || echo TERM)" "${PIDS[at]}" 2>/dev/null || true
    wait "${PIDS[at]}" 2>/dev/null || true
  done
  rm -rf "$RUN"
}
trap stop EXIT
trap 'exit 130' INT TERM

fail() { echo "$WHAT: $1" >&2; exit 2; }

[ -x "$PYTHON" ] || fail "no .venv: run make setup"

free_port() {
  "$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# wait_for SECONDS WHAT COMMAND…: until the command succeeds
wait_for() {
  local tries=$(($1 * 5)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((tries-- > 0)) || { tail -n 30 "$RUN"/*.log >&2; fail "$what does not start: see its log above"; }
    sleep 0.2
  done
}

# PostgreSQL refuses to run as root. A prefix and no function, so that $! is the server itself.
AS_POSTGRES=()
[ "$(id -u)" != 0 ] || AS_POSTGRES=(setpriv --reuid=postgres --regid=postgres --clear-groups)

find_postgres() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }

# install_servers PACKAGE…: by apt, if a command of the same name is missing
install_servers() {
  local sudo="" name missing=()
  for name in "$@"; do
    [ "$name" = postgresql ] && { [ -n "$(find_postgres)" ] || missing+=("$name"); continue; }
    command -v "$name" >/dev/null || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  [ "$(id -u)" = 0 ] || sudo=sudo
  command -v apt-get >/dev/null || fail "install ${missing[*]}, then try again"
  echo "$WHAT: installing ${missing[*]}"
  $sudo apt-get -qq update
  DEBIAN_FRONTEND=noninteractive $sudo apt-get -qq install -y --no-install-recommends \
    "${missing[@]}" >/dev/null || fail "apt-get cannot install ${missing[*]}"
}

# start_postgres DATABASE: on POSTGRES_PORT, for the user muster; it must be the first of PIDS
start_postgres() {
  local bin
  bin=$(find_postgres)
  POSTGRES_PORT=$(free_port)
  chmod 755 "$RUN"
  mkdir "$RUN/postgres"
  [ "$(id -u)" = 0 ] && chown postgres "$RUN/postgres"
  "${AS_POSTGRES[@]}" "$bin/initdb" -D "$RUN/postgres" -A trust -U muster >"$RUN/initdb.log" 2>&1 ||
    { cat "$RUN/initdb.log" >&2; fail "initdb"; }
  "${AS_POSTGRES[@]}" "$bin/postgres" -D "$RUN/postgres" -p "$POSTGRES_PORT" \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off \
    >"$RUN/postgres.log" 2>&1 &
  PIDS+=($!)
  wait_for 30 PostgreSQL "$bin/pg_isready" -h 127.0.0.1 -p "$POSTGRES_PORT"
  "$bin/createdb" -h 127.0.0.1 -p "$POSTGRES_PORT" -U muster "$1"
}
