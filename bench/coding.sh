#!/bin/sh
# How often answers in words get the right code, by the share coded by machine,
# and how fast.  usage: PUAN=build/puan bench/coding.sh
set -eu
cd "$(dirname "$0")/.."
plan=plans/cn-population-2020

# lines of `code test --json` as rows: name, right at 50, 70, 90 %
rows() { # NAME DIGITS-NAME…
    python3 -c '
import json, sys
r = json.load(sys.stdin)
name, of = sys.argv[1], sys.argv[2:]
print("%s_texts\t%d\ttexts\tnear duplicates left out\t\t\t" % (name, r["texts"]))
for level, n in zip(r["levels"], of):
    for share, right in zip((50, 70, 90, 100), level["right"]):
        print("%s_%s_%d\t%.1f\t%%\ttexts written apart\t\t\t" % (name, n, share, right))
' "$@"
}
for apart in "" "--apart 20"; do
    tail=${apart:+_unsaid}
    "$PUAN" code test --plan $plan --text text --near 80 $apart \
        --digits 1,2,3 --json test/coding/industry.csv |
        rows "industry$tail" section division group
    "$PUAN" code test --plan $plan --of occupation --text text --near 80 \
        $apart --digits 1 --json test/coding/occupation.csv |
        rows "occupation$tail" major
done
# speed: the same texts a hundred times, so that the index is read once
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
head -n 1 test/coding/industry.csv >"$tmp/many.csv"
for _ in $(seq 100); do sed 1d test/coding/industry.csv; done >>"$tmp/many.csv"
"$PUAN" code --plan $plan --text text --digits 3 --json --out "$tmp/out.csv" \
    "$tmp/many.csv" >"$tmp/said" || [ $? = 1 ]
python3 - "$tmp/said" <<'P'
import json, sys
r = json.load(open(sys.argv[1]))
print("coding_rate\t%.0f\ttexts/s\tall processors\t\t\t"
      % (r["rows"] * 1000 / max(1, r["milliseconds"])))
P
