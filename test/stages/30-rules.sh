#!/bin/bash
# puan check over a small simulated city: against the independent SQL wording
# (full scale: test/oracle/full.sh), and against the faults that the simulator
# planted: what a rule must find it finds, and it finds nothing beside.
set -eu
cd "$(dirname "$0")/../.."
dir=$(mktemp -d /tmp/puan-rules.XXXXXX)
trap 'rm -rf "$dir"' EXIT
"${PUAN:=build/puan}" simulate --area 370883 --seed 1 --scale 0.03 --out "$dir/city"
PUAN=$(realpath "$PUAN") test/oracle/run_rules.sh "$dir/city"

out=$dir/findings.csv rc=0
"$PUAN" check --plan plans/cn-population-2020 --form short --quiet --json \
    --out "$out" "$dir"/city/returns/370883/*.csv >/dev/null || rc=$?
[ $rc = 1 ] || { echo "puan check: exit code $rc, 1 was expected"; exit 1; }
awk -F, 'NR == 1 { print "detector,household,line"; next } { print $4 "," $1 "," $2 }' \
    "$out" >"$dir/detections.csv"
"$PUAN" simulate score --truth "$dir/city/truth.csv" "$dir/detections.csv" >"$dir/score.json"
sqlite3 :memory: >"$dir/score" <<SQL
SELECT key, value ->> 'planted', value ->> 'found', value ->> 'false'
FROM json_each(readfile('$dir/score.json')) WHERE key GLOB 'R[HPS][0-9]*' AND value ->> 'planted' > 0;
SQL
awk -F'|' '$2 != $3 || $4 != 0 { print $1 ": planted " $2 ", found " $3 ", false " $4; bad = 1 }
    { n++; planted += $2 } END { print planted " planted faults of " n " rules judged"; exit bad || n < 20 }' "$dir/score"
