#!/bin/sh
# What doc/plan.md section 12 tells a reader to write is sound as it stands
# there: the workflow passes lint, its play passes and proves its demand.
# usage: test/doc_workflow_test.sh PUAN SOURCE_ROOT
set -eu
puan=$1
root=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/plans"
cp -r "$root/plans/zz-test" "$dir/plans/zz-mine"
pack=$dir/plans/zz-mine
sed -i 's/^plan: zz-test$/plan: zz-mine/' "$pack/plan.yaml"
mkdir -p "$pack/proof"
# the n-th block of that kind in the section
block() {
    awk -v want="$1" -v n="$2" '
        /^## / { in_it = $2 == "12." }
        in_it && !inside && $0 == "```" want { if (++seen == n) { inside = 1; next } }
        inside && /^```$/ { exit }
        inside { print }' "$root/doc/plan.md"
}
block yaml 1 >"$pack/flows/key_loan.yaml"
block yaml 2 >"$pack/proof/key_loan.yaml"
awk '/^## / { in_it = $2 == "12." } in_it && /^id\tsystem|^KEY-1\t/' \
    "$root/doc/plan.md" >"$pack/clauses.tsv"
[ "$(wc -l <"$pack/clauses.tsv")" = 2 ] || { echo "clauses.tsv is not in the section"; exit 1; }
"$puan" plan lint "$pack" >"$dir/lint" 2>&1 || { cat "$dir/lint"; exit 1; }
"$puan" plan clauses "$pack" --mutate >"$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
grep -q '1 shown, 0 open, 0 external, 0 uncovered' "$dir/out" || { cat "$dir/out"; exit 1; }
# and a fault in it is told with its place and what mends it
sed -i 's/limit: 4h/limt: 4h/' "$pack/flows/key_loan.yaml"
if "$puan" plan lint "$pack" >"$dir/lint" 2>&1; then
    echo "a misspelt key passes"
    exit 1
fi
grep -q "key_loan.yaml:[0-9]*:[0-9]*: unknown key 'limt', did you mean 'limit'" "$dir/lint" ||
    { cat "$dir/lint"; exit 1; }
