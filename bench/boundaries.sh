#!/bin/sh
# Measure: the boundary checker on the demo city (370883 in full: 6,255
# enumeration areas of at least 100 points, 220,000 buildings), clean and with
# overlaps, holes, missing areas and buildings out of place planted by seed.
# usage: bench/run boundaries [-- SEEDS [EACH]]
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
data=${PUAN_BENCH_DIR:-$here/build-bench/data}
build=$(dirname "$PUAN")
ninja -C "$build" bench/bench_plants >/dev/null
mkdir -p "$data"
cd "$here"
if [ ! -d "$data/boundaries" ]; then
    rm -rf "$data/boundaries.part"
    "$PUAN" simulate --area 370883 --seed 1 --faults none \
        --out "$data/boundaries.part" >/dev/null 2>&1
    "$PUAN" init "$data/boundaries.part/census" \
        --plan plans/cn-population-2020 --birth demo >/dev/null
    "$PUAN" import "$data/boundaries.part/census" \
        "$data/boundaries.part/areas.csv" >/dev/null
    "$PUAN" map import "$data/boundaries.part/census" \
        "$data"/boundaries.part/boundaries_*.geojson \
        "$data/boundaries.part/buildings.csv" >/dev/null
    rm -rf "$data/boundaries.part/returns" "$data/boundaries.part"/*.csv
    mv "$data/boundaries.part" "$data/boundaries"
fi
"$build/bench/bench_plants" "$data/boundaries/census" "$@"
