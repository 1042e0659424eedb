#!/usr/bin/env bash
# uv.lock → requirements.txt of each layer of dependencies: the very files that the tests ran with.
set -euo pipefail
cd "$(dirname "$0")"
for layer in fetch-deps measure-deps report-deps; do
  "${UV:-uv}" export --quiet --frozen --only-group "$layer" \
    --no-annotate --no-header --output-file "$layer/requirements.txt" > /dev/null
done
