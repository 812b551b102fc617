#!/bin/sh
# The web tree: types, lints, build, then every browser test on a small census.
set -eu
tools/web.sh
(cd web && npm run --silent types)
PUAN=$(cd "$(dirname "$PUAN")" && pwd)/$(basename "$PUAN")
export PUAN
PUAN_TEST_TIMEOUT=${PUAN_TEST_TIMEOUT:-600000} web/test/run.sh
