#!/usr/bin/env bash
# Sets up Takahe, a server that speaks Mastodon's API, on loopback, runs the connector against it,
# stops what it started. Needs PostgreSQL (installed by apt if missing and permitted); Takahe and
# what it needs (300 MB) go into .cache/mastodon, once. TAKAHE may name a Git repository of it that
# is already here. What is given is passed on to pytest.
set -euo pipefail
cd "$(dirname "$0")/../../.."
WHAT=test-mastodon
. tests/real/starting.sh

CACHE="$PWD/.cache/mastodon"
TAKAHE=${TAKAHE:-https://github.com/jointakahe/takahe}
COMMIT=d45f22c9c2f5e4feec9f9692c36b8385d51ec981

install_takahe() {
  [ -e "$CACHE/ready" ] && return
  echo "$WHAT: installing Takahe and what it needs into .cache/mastodon (1 minute)"
  rm -rf "$CACHE"
  mkdir -p "$CACHE"
  git init --quiet "$CACHE/takahe"
  git -C "$CACHE/takahe" fetch --quiet --depth 1 "$TAKAHE" "$COMMIT" || fail "cannot fetch $TAKAHE"
  git -C "$CACHE/takahe" checkout --quiet FETCH_HEAD
  "$PYTHON" -m venv "$CACHE/python"
  "$CACHE/python/bin/pip" install --quiet --disable-pip-version-check \
    --require-hashes -r tests/real/mastodon/requirements.txt
  touch "$CACHE/ready"
}

takahe() { (cd "$CACHE/takahe" && "$CACHE/python/bin/python" manage.py "$@"); }

start_takahe() {
  local port
  port=$(free_port)
  export TAKAHE_DATABASE_SERVER="postgres://muster@127.0.0.1:$POSTGRES_PORT/takahe"
  export TAKAHE_MAIN_DOMAIN=social.example TAKAHE_ENVIRONMENT=development TAKAHE_DEBUG=true
  export TAKAHE_SECRET_KEY=of-this-run TAKAHE_EMAIL_SERVER=console://console
  takahe migrate >"$RUN/migrate.log" 2>&1 || { tail -n 20 "$RUN/migrate.log" >&2; fail "its tables"; }
  MUSTER_MASTODON_PEOPLE=$(takahe shell <tests/real/mastodon/people.py) || fail "its people"
  serve web runserver --noreload "127.0.0.1:$port"
  serve stator runstator --schedule-interval 30
  MUSTER_MASTODON_URL="http://127.0.0.1:$port"
  wait_for 90 Takahe "$PYTHON" -c "import httpx; httpx.get('$MUSTER_MASTODON_URL/api/v1/instance')"
}

serve() {  # serve LOG ARGUMENT…: a command that stays; exec, so that $! is itself
  local log="$RUN/$1.log"
  shift
  (cd "$CACHE/takahe" && exec "$CACHE/python/bin/python" manage.py "$@") >"$log" 2>&1 &
  PIDS+=($!)
}

install_servers postgresql
install_takahe
start_postgres takahe
start_takahe
export MUSTER_MASTODON_URL MUSTER_MASTODON_PEOPLE
echo "$WHAT: Takahe listens at $MUSTER_MASTODON_URL"
"$PYTHON" -m pytest tests/real/mastodon/against_server.py "$@"
