#!/usr/bin/env bash
# What is asked for (pyproject.toml, every *.in) → exact versions with the hashes of their files.
# `make lock UPGRADE=--upgrade` takes newer versions; without it only what must change does.
set -euo pipefail
cd "$(dirname "$0")/.."
uv="${UV:-uv}"
"$uv" lock --quiet ${UPGRADE:-}
git ls-files '*.in' | while read -r asked; do
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
    --no-annotate ${UPGRADE:-} --output-file "${asked%.in}.txt" "$asked"
done
(cd tests/real/bluesky && npm install --silent --package-lock-only --ignore-scripts --no-audit \
  --no-fund --omit-lockfile-registry-resolved) || echo "npm is not here: package-lock.json is as it was"
UV="$uv" layers/requirements.sh
