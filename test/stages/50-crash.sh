#!/bin/sh
# 50 kills and failing disks on SQLite, 10 kills on PostgreSQL where there is
# one; see test/crash/crash.c.  usage: PUAN=build/puan test/stages/50-crash.sh
set -eu
cd "$(dirname "$0")/../.."
build=$(dirname "$(realpath "$PUAN")")
ninja -C "$build" test/crash/crash test/crash/crash_shim.so >/dev/null
"$build/test/crash/crash" --kills 50
if [ -n "${PUAN_TEST_PG:-}" ]; then
    "$build/test/crash/crash" --kills 10 --store "$PUAN_TEST_PG"
fi
