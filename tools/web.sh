#!/bin/sh
# Builds the web tree into web/dist, unless it is newer than its sources.
# usage: tools/web.sh
set -eu
cd "$(dirname "$0")/.."
stamp=web/node_modules/.puan-built

if [ -f "$stamp" ] && [ -d web/dist/office ] && [ -z "$(find web src/base src/core ext/wasm tools/wasm.sh \
    -newer "$stamp" -type f \
    ! -path 'web/node_modules/*' ! -path 'web/dist/*' ! -path 'web/wasm/*' \
    ! -path 'web/test/*' -print | head -n 1)" ]; then
    exit 0
fi
cd web
# what the lock file says, installed anew only when it says something else
if ! cmp -s package-lock.json node_modules/.puan-lock; then
    npm ci --no-fund --no-audit --loglevel=error
    cp package-lock.json node_modules/.puan-lock
fi
npm run --silent build
touch node_modules/.puan-built
