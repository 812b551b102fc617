#!/bin/sh
# A province: 66 million synthetic persons in the shape of the short form
# (bench/peer/gen_province.c; counties of Hunan and their published sizes), from
# CSV into a frame, all rules of the plan that a frame can hold, and the
# tabulation programme of counties; beside the same for one million.
# Limits: 12 GiB of memory; for the whole, 1.15 times the time that one million
# takes, by rows; a step that grows faster is shown by its ratio.  Memory is what a process holds at once: its own, and pages of mapped
# files, which the system takes back when it wants them.
#
# usage: bench/run province [-- ROWS [SEED]]     66000000 rows if none are said
# PROVINCE_KEEP=1 keeps the files of the large one; PUAN_BENCH_DIR says where.
set -eu
. "$(dirname "$0")/peer/setup.sh"
puan=${PUAN:-$here/build-bench/puan}
rows=${1:-66000000} seed=${2:-1}
pack=$here/plans/cn-population-2020
programme=$pack/programmes/county-2020.yaml
[ -n "${PROVINCE_KEEP:-}" ] || trap 'rm -f "$data"/province-"$rows".*' EXIT

for tool in gen_province peak limit; do
    [ "$data/$tool" -nt "$here/bench/peer/$tool.c" ] ||
        cc -O2 -pthread -o "$data/$tool" "$here/bench/peer/$tool.c"
done

# STEP ROWS TIMES COMMAND…: the run of the median time, to $data/ROWS.STEP
step() {
    name=$1 of=$2 times=$3 i=0
    shift 3
    : >"$data/peaks"
    while [ $i -lt "$times" ]; do
        "$data/peak" "$data/peak.one" "$@" >"$data/$of.$name.out" 2>"$data/errors" || [ $? = 1 ] || {
            cat "$data/errors" >&2
            return 1
        }
        cat "$data/peak.one" >>"$data/peaks"
        i=$((i + 1))
    done
    sort -n "$data/peaks" | sed -n "$(((times + 1) / 2))p" >"$data/$of.$name"
    # memory: the most of all runs
    awk -F '\t' '{ for (i = 3; i <= 5; i++) if ($i > m[i]) m[i] = $i }
        END { print m[3] "\t" m[4] "\t" m[5] }' "$data/peaks" >"$data/$of.$name.most"
}

all() { # ROWS TIMES
    csv=$data/province-$1.csv frame=$data/province-$1.frame
    [ -f "$csv" ] || {
        step generate "$1" 1 sh -c '"$0" "$1" 43 "$2" "$3" >"$4"' "$data/gen_province" \
            "$1" "$seed" "$here/data/census2020_areas.csv" "$csv.part"
        mv "$csv.part" "$csv"
    }
    step frame "$1" "$2" "$puan" frame "$csv" -o "$frame" --quiet \
        --digits A3 --digits A4 --digits D7a --digits D8a \
        --level county=A3 --level township=A4 --level ea=ea \
        --level household=A9,H1,H2a,H2b,H3m,H3f,H4m,H4f,H5,H6,H7,P_mode,P_signed,P_seconds,P_start,P_distance
    step check "$1" "$2" "$puan" check "$frame" --plan "$pack" --form short --json
    step table "$1" "$2" "$puan" table "$frame" --programme "$programme" --out "$data/$1.county.csv"
    awk -F '\t' '{ ms += $1; cpu += $2 } END { print ms "\t" cpu }' \
        "$data/$1.frame" "$data/$1.check" "$data/$1.table" >"$data/$1.whole"
}
ms() { cut -f 1 "$data/$1.$2"; }
gib() { awk -v k="$1" 'BEGIN { printf "%.3f", k / 1048576 }'; }
size() { stat -c %s "$1"; }

all 1000000 5
[ "$rows" = 1000000 ] || all "$rows" "${PROVINCE_TIMES:-3}"
"$data/limit" "$csv" >"$data/limit.csv" 2>/dev/null
"$data/limit" "$frame" >"$data/limit.frame" 2>/dev/null

row province_rows "$rows" persons "households $(sed 's/.*"household":\([0-9]*\).*/\1/' "$data/$rows.check.out")" ""
row province_csv "$(gib $(($(size "$csv") / 1024)))" GiB "" ""
row province_frame "$(gib $(($(size "$frame") / 1024)))" GiB \
    "$(awk -v b="$(size "$frame")" -v n="$rows" 'BEGIN { printf "%.1f", b / n }') bytes/person" ""
row province_scratch "$(gib $((($(size "$csv") + $(size "$frame")) / 1024)))" GiB "CSV and frame on disk" ""
[ ! -f "$data/$rows.generate" ] || row province_generate "$(ms "$rows" generate)" ms "not counted" ""
for s in frame check table whole; do
    took=$(ms "$rows" $s) one=$(ms 1000000 $s)
    grown=$(awk -v a="$took" -v b="$one" -v n="$rows" 'BEGIN { printf "%.3f", a / (b * n / 1000000) }')
    case $s in
    frame) limit="reading the CSV $(cut -f 1 "$data/limit.csv")" at=$(cut -f 1 "$data/limit.csv") ;;
    whole) limit= at= ;;
    *) limit="adding up the frame $(cut -f 2 "$data/limit.frame")" at=$(cut -f 2 "$data/limit.frame") ;;
    esac
    [ $s = whole ] && most="; at most 1.15" || most=
    row "province_$s" "$took" ms "1 M: $one ms$most" "$grown" \
        "$limit" "${at:+$(ratio "$at" "$took")}"
    took=$(cut -f 2 "$data/$rows.$s") one=$(cut -f 2 "$data/1000000.$s")
    row "province_${s}_cpu" "$took" ms "1 M: $one ms" \
        "$(awk -v a="$took" -v b="$one" -v n="$rows" 'BEGIN { printf "%.3f", a / (b * n / 1000000) }')"
done
worst=0
for s in frame check table; do
    read -r hwm anon file <"$data/$rows.$s.most"
    row "province_${s}_memory" "$(gib "$hwm")" GiB \
        "own $(gib "$anon"), pages of files $(gib "$file"), read from disk $(cut -f 6 "$data/$rows.$s") MiB" "" "12 GiB" \
        "$(awk -v k="$hwm" 'BEGIN { printf "%.2f", k / 12582912 }')"
    [ "$hwm" -le $worst ] || worst=$hwm
done
sed 's/.*"findings":\([0-9]*\),"hard":\([0-9]*\),"soft":\([0-9]*\),"evaluated":\([0-9]*\).*/\1 \2 \3 \4/; q' "$data/$rows.check.out" |
    while read -r found hard soft looked; do
        rules=$(grep -o '"rule":' "$data/$rows.check.out" | wc -l)
        row province_findings "$found" findings "hard $hard, soft $soft; $rules rules, $looked looks" ""
    done
row province_counties "$(($(wc -l <"$data/$rows.county.csv") - 2))" counties "columns $(head -1 "$data/$rows.county.csv" | tr ',' '\n' | wc -l)" ""

# what must hold
bad=
awk -v k=$worst 'BEGIN { exit !(k > 12582912) }' && bad="$bad memory"
awk -v a="$(ms "$rows" whole)" -v b="$(ms 1000000 whole)" -v n="$rows" \
    'BEGIN { exit !(a > 1.15 * b * n / 1000000) }' && bad="$bad time"
[ -z "$bad" ] || {
    echo "bench/province: over its limit:$bad" >&2
    exit 1
}
