#!/usr/bin/env bash
# Sets up a real Synapse on loopback, runs the connector against it, stops what it started.
# Synapse goes into .cache/matrix, once. What is given is passed on to pytest.
set -euo pipefail
cd "$(dirname "$0")/../../.."

CACHE="$PWD/.cache/matrix"
RUN=$(mktemp -d)
SERVER=

stop() {
  [ -z "$SERVER" ] || { kill "$SERVER" 2>/dev/null || true; wait "$SERVER" 2>/dev/null || true; }
  rm -rf "$RUN"
}
trap stop EXIT
trap 'exit 130' INT TERM

fail() { echo "test-matrix: $1" >&2; exit 2; }

free_port() {
  "$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

install_synapse() {
  [ -e "$CACHE/ready" ] && return
  echo "test-matrix: installing Synapse into .cache/matrix"
  "$PYTHON" -m venv "$CACHE"
  "$CACHE/bin/python" -m pip install --quiet --disable-pip-version-check \
    --require-hashes -r tests/real/matrix/requirements.txt
  touch "$CACHE/ready"
}

configure() {  # its own limits stay as they come: they are what the test wants to meet
  cat > "$RUN/homeserver.yaml" <<YAML
server_name: loop.test
report_stats: false
pid_file: $RUN/homeserver.pid
signing_key_path: $RUN/signing.key
media_store_path: $RUN/media
registration_shared_secret: of-this-run
trusted_key_servers: []
suppress_key_server_warning: true
database: {name: sqlite3, args: {database: $RUN/homeserver.db}}
listeners:
  - {port: $PORT, type: http, bind_addresses: [127.0.0.1], resources: [{names: [client]}]}
log_config: $RUN/log.yaml
YAML
  cat > "$RUN/log.yaml" <<YAML
version: 1
handlers: {file: {class: logging.FileHandler, filename: $RUN/synapse.log}}
root: {level: WARNING, handlers: [file]}
YAML
  "$CACHE/bin/python" -m synapse.app.homeserver -c "$RUN/homeserver.yaml" --generate-keys
}

start_synapse() {
  "$CACHE/bin/python" -m synapse.app.homeserver -c "$RUN/homeserver.yaml" > "$RUN/out.log" 2>&1 &
  SERVER=$!
  local tries=300
  until "$PYTHON" -c "import urllib.request as u; u.urlopen('$MUSTER_MATRIX_URL/health')" 2>/dev/null; do
    kill -0 "$SERVER" 2>/dev/null && ((tries-- > 0)) ||
      { tail -n 30 "$RUN"/*.log >&2; fail "Synapse does not start: see its log above"; }
    sleep 0.2
  done
}

PYTHON="$PWD/.venv/bin/python"
[ -x "$PYTHON" ] || fail "no .venv: run make setup"
install_synapse
PORT=$(free_port)
export MUSTER_MATRIX_URL="http://127.0.0.1:$PORT"
configure
start_synapse
echo "test-matrix: Synapse listens at $MUSTER_MATRIX_URL"
"$PYTHON" -m pytest tests/real/matrix/against_synapse.py "$@"
