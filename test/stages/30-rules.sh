#!/bin/bash
# puan check against the independent SQL wording, over a small simulated city.
# Full scale: test/oracle/full.sh
set -eu
cd "$(dirname "$0")/../.."
dir=$(mktemp -d /tmp/puan-rules.XXXXXX)
trap 'rm -rf "$dir"' EXIT
"${PUAN:=build/puan}" simulate --area 370883 --seed 1 --scale 0.01 --out "$dir/city"
PUAN=$(realpath "$PUAN") test/oracle/run_rules.sh "$dir/city"
