#!/bin/sh
# Thirty rules of persons, and all forty with those of households and areas,
# over ten million persons: puan check from the shell beside DuckDB's best of
# memory, Parquet and file and of its wordings; the limit is plain C written for
# this file.  Every count must be the same.  --quick: one million.
set -eu
. "$(dirname "$0")/peer/setup.sh"
n=10000000
[ "${1:-}" != --quick ] || n=1000000
csv=$(persons $n)
puan=${PUAN:-$here/build-bench/puan}
frame=$data/edits-$n.frame
geo=$data/geo-$n.csv
probe=$data/edits_probe

# the reference table, as peer/duckdb.mjs makes it
[ -f "$geo" ] || awk -F , 'NR > 1 { n[$1 "," $2]++ }
    END {
        print "region,township,control"
        for (k in n) {
            split(k, a, ",")
            if (a[1] % 97 == 0 && a[2] == 5) continue
            print k "," n[k] + (a[1] % 7 == 0 && a[2] == 2 ? int(n[k] / 10) : 0)
        }
    }' "$csv" >"$geo"
"$puan" frame "$csv" -o "$frame" --quiet --level township=region,township \
    --level ea=region,township,ea --level household=region,township,ea,hhid
[ "$probe" -nt "$here/bench/peer/edits_probe.c" ] ||
    cc -O3 -march=native -pthread -D_GNU_SOURCE -o "$probe" "$here/bench/peer/edits_probe.c"

peer "$csv" "$here/bench/peer/persons.sql" --mode memory,parquet,file \
    --only '^(c1_|c1b_|c_all)' >"$data/edits.tsv"
"$probe" "$csv" >"$data/probe.tsv"
best() { awk -F '\t' -v n="$1" '$1 ~ n { if (!m || $3 < m) m = $3 } END { print m }' "$data/edits.tsv"; }
limit() { awk -F '\t' -v n="$1" '$1 == n { print $2 }' "$data/probe.tsv"; }
counts() { # of DuckDB, in the order of rules
    awk -F '\t' -v n="$1" '$1 ~ n { print $4; exit }' "$data/edits.tsv" |
        tr -c '0-9\n' ' ' | tr -s ' ' | sed 's/^ //; s/ $//'
}
ours() { # of puan check --json
    tr '{' '\n' <"$1" | sed -n 's/.*"rule":.*"findings":\([0-9]*\).*/\1/p' | tr '\n' ' ' | sed 's/ $//'
}
same() { # NAME WANT GOT
    [ "$2" = "$3" ] || {
        echo "bench/edits: $1 counts differ" >&2
        echo "DuckDB $2" >&2
        echo "Puan   $3" >&2
        exit 1
    }
}
check() { # NAME PATTERN LIMIT RULES…
    name=$1 peer=$(best "$2") want=$(counts "$2") at=$3
    shift 3
    "$puan" check "$frame" --json --quiet "$@" >"$data/check.json" || [ $? = 1 ]
    same "$name" "$want" "$(ours "$data/check.json")"
    ms=$(median "$puan" check "$frame" --summary --quiet "$@")
    row "$name" "$ms" ms "DuckDB $peer" "$(ratio "$peer" "$ms")" "plain C $at" "$(ratio "$at" "$ms")"
}
persons_c=$(limit persons)
check edits_30_persons '^c1' "$persons_c" --rules "$here/bench/edits_persons.rules"
check edits_40_all '^c_all' "$(awk -v a="$persons_c" -v b="$(limit households)" 'BEGIN { print a + b }')" \
    --rules "$here/bench/edits_persons.rules" --rules "$here/bench/edits_units.rules" --lookup "geo=$geo"
ms=$(median "$puan" check "$csv" --summary --quiet --rules "$here/bench/edits_persons.rules" \
    --rules "$here/bench/edits_units.rules" --lookup "geo=$geo")
row edits_40_from_csv "$ms" ms "DuckDB $(best '^c_all') after loading" "$(ratio "$(best '^c_all')" "$ms")"
rm -f "$frame"
