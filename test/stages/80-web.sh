#!/bin/sh
# The web tree: types, lints, build, then every browser test on a small census.
# A browser on a busy machine may miss a moment that nobody would notice: a
# file that fails is run once more, alone, and must pass then; both runs stand
# in the log.
set -eu
tools/web.sh
(cd web && npm run --silent types)
PUAN=$(cd "$(dirname "$PUAN")" && pwd)/$(basename "$PUAN")
export PUAN
export PUAN_TEST_TIMEOUT=${PUAN_TEST_TIMEOUT:-600000}
bad=
for f in web/test/*.test.mjs; do
    name=$(basename "$f")
    echo "== $name"
    web/test/run.sh "$name" && continue
    echo "== $name, once more"
    web/test/run.sh "$name" || bad="$bad $name"
done
[ -z "$bad" ] || { echo "failed twice:$bad"; exit 1; }
