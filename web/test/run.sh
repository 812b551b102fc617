#!/bin/sh
# Runs browser tests one after the other with the node of this folder.
# usage: web/test/run.sh [FILE.test.mjs…]   (default: all *.test.mjs)
#   PUAN          the program (build/puan, or build-check/gcc/puan)
#   PUAN_FIXTURE  folder with mid/ and end/ as `puan demo --once` leaves them;
#                 made once under build-check/fixture when not given
#   PUAN_WEB      the built web tree (web/dist)
set -eu
cd "$(dirname "$0")"
[ -d node_modules/playwright-core ] && [ -d node_modules/jsdom ] ||
    npm ci --no-fund --no-audit >/dev/null 2>&1 ||
    { echo "web/test/run.sh: npm ci failed in web/test; run it by hand to see why" >&2; exit 5; }
node=node
for n in node_modules/node-linux-*/bin/node; do [ -x "$n" ] && node=$n; done
[ $# -gt 0 ] || set -- *.test.mjs
exec "$node" --test --test-concurrency=1 --test-timeout="${PUAN_TEST_TIMEOUT:-900000}" "$@"
