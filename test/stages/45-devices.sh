#!/bin/sh
# A small last evening against `puan serve`: tablets bring returns over lines
# that break while more households want in than there is room for.  Nothing is
# lost or doubled, reconciliation is clean, the line keeps its order, and those
# inside are answered.  In full: bench/run devices.
set -eu
cd "$(dirname "$0")/../.."
build=$(dirname "$(realpath "$PUAN")")
ninja -C "$build" bench/bench_devices >/dev/null
# what other programs take of the machine is no fault: only a standstill is
exec "$build/bench/bench_devices" --tablets 24 --returns 3 --households 30 \
    --turns 1 --inside 12 --seconds 6 --breaks 40 --limit 8000
