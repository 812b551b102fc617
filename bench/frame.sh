#!/bin/sh
# CSV of ten million persons into a frame, beside DuckDB's reader; duplicate
# ids beside its best query; levels; the price of rows in disorder.  --quick:
# one million, without the digest of the file.
set -eu
. "$(dirname "$0")/peer/setup.sh"
n=10000000
[ "${1:-}" != --quick ] || n=1000000
csv=$(persons $n)
frame=$data/bench.frame
puan=${PUAN:-$here/build-bench/puan}

peer "$csv" "$here/bench/peer/persons.sql" --mode memory,parquet,file \
    --only '^(load_csv|b[12]_)' >"$data/peer.tsv"
best() { awk -F '\t' -v n="$1" '$1 ~ n { if (!m || $3 < m) m = $3 } END { print m }' "$data/peer.tsv"; }
load=$(best '^load_csv$')
b1=$(best '^b1_')
b2=$(best '^b2_')

ms=$(median "$puan" frame "$csv" -o "$frame" --quiet)
row frame_csv "$ms" ms "DuckDB read_csv $load" "$(ratio "$load" "$ms")"
row frame_bytes "$(ratio "$(stat -c %s "$frame")" $n)" "bytes/row" "CSV $(ratio "$(stat -c %s "$csv")" $n)" ""
ms=$(median "$puan" frame "$csv" --level ea=region,township,ea --level household=hhid -o "$frame" --quiet)
row frame_levels "$ms" ms "DuckDB read_csv $load" "$(ratio "$load" "$ms")"

ms=$(median "$puan" duplicates "$frame" --on id_token --json)
row duplicate_ids "$ms" ms "DuckDB b1 $b1" "$(ratio "$b1" "$ms")"
# the same answer
awk -F '\t' '$1 ~ /^b1_/ { print $4; exit }' "$data/peer.tsv" | tr -dc '0-9,\n' |
    sed 's/.*,\([0-9]*\),\([0-9]*\)$/\1 \2/; s/^\([0-9]*\),\([0-9]*\)$/\1 \2/' >"$data/want"
sed 's/.*"groups":\([0-9]*\),"in_groups":\([0-9]*\).*/\1 \2/' "$data/out" >"$data/got"
cmp -s "$data/want" "$data/got" || {
    echo "bench/frame: duplicates differ: DuckDB $(cat "$data/want"), Puan $(cat "$data/got")" >&2
    exit 1
}
ms=$(median "$puan" duplicates "$frame" --on id_token --out "$data/twice.csv" --list hhid,pno --quiet)
row duplicate_rows "$ms" ms "DuckDB b2 $b2" "$(ratio "$b2" "$ms")"
awk -F '\t' '$1 ~ /^b2_/ { print $4; exit }' "$data/peer.tsv" | tr -dc '0-9,\n' >"$data/want"
awk -F , 'NR > 1 { n++; s += $3 * 10 + $4 } END { printf "%d,%.0f\n", n, s }' "$data/twice.csv" >"$data/got"
cmp -s "$data/want" "$data/got" || {
    echo "bench/frame: rows differ: DuckDB $(cat "$data/want"), Puan $(cat "$data/got")" >&2
    exit 1
}

# disorder: the same rows shuffled, brought together again for their levels
csv=$(persons 1000000)
[ -f "$data/shuffled.csv" ] || {
    head -1 "$csv" >"$data/shuffled.part"
    tail -n +2 "$csv" | shuf --random-source="$csv" >>"$data/shuffled.part"
    mv "$data/shuffled.part" "$data/shuffled.csv"
}
in_order=$(median "$puan" frame "$csv" --level ea=region,township,ea --level household=hhid -o "$frame" --quiet)
ms=$(median "$puan" frame "$data/shuffled.csv" --level ea=region,township,ea --level household=hhid -o "$frame" --quiet)
row frame_disorder_1m "$ms" ms "in order $in_order" "$(ratio "$ms" "$in_order")"
rm -f "$frame"
