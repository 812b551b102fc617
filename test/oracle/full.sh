#!/bin/bash
# The comparison of run_rules.sh over the whole of a city; minutes, not seconds.
# usage: test/oracle/full.sh [AREA [WORK]]
set -eu
cd "$(dirname "$0")/../.."
area=${1:-370883}
work=${2:-$(mktemp -d /tmp/puan-rules.XXXXXX)}
[ $# -ge 2 ] || trap 'rm -rf "$work"' EXIT
puan=$(realpath "${PUAN:-build/puan}")
[ -d "$work/city/returns" ] ||
    "$puan" simulate --area "$area" --seed 1 --out "$work/city"
PUAN=$puan test/oracle/run_rules.sh "$work/city" "$work/compare"
