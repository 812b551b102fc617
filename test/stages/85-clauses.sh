#!/bin/bash
# Proves every clause of the packs by running: all scenarios, in memory and over
# HTTP, and the mutation: each path of a pack a clause rests on is taken away
# and the scenario must fail.  Then takes a scenario away: its clause may not go
# on as shown.
set -u
cd "$(dirname "$0")/../.."
puan=$(realpath "${PUAN:-build/puan}")
packs="plans/cn-office-gx plans/cn-population-2020 plans/cn-economic-2018"
dir=$(mktemp -d /tmp/puan-clauses.XXXXXX)
trap 'rm -rf "$dir"' EXIT
bad=0

"$puan" plan clauses $packs --mutate --by system >"$dir/out" || bad=1
cat "$dir/out"
grep -E 'mutation: killed' "$dir/out" |
    while read -r _ _ killed _ total _; do
        [ "$killed" = "${total%,}" ] || echo "survivors: $killed of $total"
    done | grep survivors && bad=1

# a row that says shown and has lost its scenario is uncovered
cp -r plans "$dir/plans"
cd "$dir"
id=$(awk -F'\t' '$7 == "shown" { print $1; exit }' plans/cn-office-gx/clauses.tsv)
if [ -n "$id" ]; then
    rm plans/cn-office-gx/proof/*.yaml
    if "$puan" plan clauses plans/cn-office-gx >lost; then
        echo "without scenarios the catalogue passes all the same"
        bad=1
    fi
    grep -q "uncovered $id:" lost || { echo "$id is not uncovered"; bad=1; }
fi
exit $bad
