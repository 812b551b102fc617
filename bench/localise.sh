#!/bin/sh
# Measure: error localisation on 10,000 households with planted errors, of the
# simulated short form and of a plain file of persons (bench/peer/gen_persons.c
# where it has been made: PUAN_BENCH_DIR/p1m.csv or the file named by PERSONS).
# usage: bench/run localise [-- --households N --seed N …]
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
data=${PUAN_BENCH_DIR:-$here/build-bench/data}
build=$(dirname "$PUAN")
ninja -C "$build" bench/bench_planted >/dev/null
mkdir -p "$data"
if [ ! -d "$data/localise" ]; then
    "$PUAN" simulate --area 370883 --seed 1 --scale 0.06 --faults none \
        --out "$data/localise.part" >/dev/null 2>&1
    mv "$data/localise.part" "$data/localise"
fi
cd "$here"
returns=$data/localise/returns/370883
"$build/bench/bench_planted" "$@" "$returns/household.csv" \
    "$returns/person.csv" "$returns/death.csv" "$returns/visit.csv"
persons=${PERSONS:-$data/p1m.csv}
if [ -f "$persons" ]; then
    head -300001 "$persons" >"$data/localise.csv"
    "$build/bench/bench_planted" "$@" --rules "$here/bench/localise.rules" \
        "$data/localise.csv"
else
    echo "bench/localise: no $persons: the plain file is left out" >&2
fi
