#!/bin/sh
# 1,000 kills and failing disks: receipts lost or doubled, which must be none.
# usage: PUAN=build/puan bench/crash.sh [--kills N] [--seed S]
set -eu
cd "$(dirname "$0")/.."
build=$(dirname "$(realpath "$PUAN")")
ninja -C "$build" test/crash/crash test/crash/crash_shim.so >/dev/null
[ $# -gt 0 ] || set -- --kills 1000
if line=$("$build/test/crash/crash" "$@"); then bad=0; else bad=1; fi
echo "$line" >&2
n=$(echo "$line" | sed -n 's/^crash: \([0-9]*\) stops.*/\1/p')
printf 'crash_stops\t%s\tstops\t\t\t1000\t%s\n' "$n" \
    "$(awk "BEGIN { print $n / 1000 }")"
printf 'crash_lost_or_doubled\t%s\treceipts\tclient'"'"'s receipts\t\t0\t\n' "$bad"
