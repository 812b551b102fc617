#!/bin/sh
# Tables of ten million persons, by all cores: the whole command from its start
# to its end, beside DuckDB's query alone in the best of memory, Parquet and
# file.  Cells, rows and sums of squares must be equal.
# usage: bench/run tables [-- ROWS [SEED]]
set -eu
. "$(dirname "$0")/peer/setup.sh"
puan=${PUAN:-$here/build-bench/puan}
rows=${1:-10000000} seed=${2:-}
csv=$(persons "$rows" $seed)
base=${csv%.csv}
"$puan" frame "$csv" --level household=hhid -o "$base.tables.frame" --quiet >/dev/null
frame=$base.tables.frame

peer "$csv" "$here/bench/peer/persons.sql" --only '^t[1-5]' >"$data/tables.peer"
best() { # NAME: best milliseconds; the mode and the result go to $data/best
    awk -F '\t' -v n="$1" '$1 == n && (!ms || $3 < ms) { ms = $3; keep = $2 "\t" $4 }
        END { print keep > "'"$data"'/best"; print ms }' "$data/tables.peer"
}
same() { # NAME OURS THEIRS
    [ "$2" = "$3" ] && return
    echo "bench/tables: $1: $2 here, $3 there" >&2
    exit 1
}
numbers() { grep -oE '[0-9]+' | paste -sd ' ' -; }

logs=
one() { # NAME OPTIONS…
    name=$1
    shift
    ours=$(median "$puan" table "$frame" "$@" --summary --quiet)
    theirs=$(best "$name")
    case "$name" in
    t1_to_t4*) # cells and persons of four tables together
        same "$name" "$(awk -F '\t' '{ c += $2; n += $3 } END { print c, n }' "$data/out")" \
            "$(cut -f 2 "$data/best" | sed 's/"[a-z0-9_]*"://g' | numbers)"
        ;;
    t5*) # households, their squares
        same "$name" "$(cut -f 2-4 "$data/out" | numbers)" \
            "$(cut -f 2 "$data/best" | sed 's/"[a-z0-9_]*"://g' | numbers | awk '{ print $1, $2, $4 }')"
        ;;
    *)
        same "$name" "$(cut -f 2-4 "$data/out" | numbers)" \
            "$(cut -f 2 "$data/best" | sed 's/"[a-z0-9_]*"://g' | numbers)"
        ;;
    esac
    r=$(ratio "$theirs" "$ours")
    row "$name" "$ours" ms "DuckDB $(cut -f 1 "$data/best") $theirs ms" "$r"
    case "$name" in t1_to_t4*) ;; *) logs="$logs $r" ;; esac
}

t1='region, min(age, 100) / 5 as age5, sex'
t2='education, sex, age'
t3='ethnicity, region'
t4='region, sex, age, education'
one t1_region_age5_sex --by "$t1"
one t2_education_sex_age --by "$t2"
one t3_ethnicity_region --by "$t3"
one t4_region_sex_age1_education --by "$t4"
one t5_household_size --of household --by 'count(person)'
row 'geometric mean' "$(echo $logs | tr ' ' '\n' | awk '{ s += log($1) } END { printf "%.2f", exp(s / NR) }')" times 'DuckDB, t1 to t5' ''
row 'least of five' "$(echo $logs | tr ' ' '\n' | sort -n | head -1)" times 'DuckDB, t1 to t5' ''
one t1_to_t4_grouping_sets --by "$t1" --by "$t2" --by "$t3" --by "$t4"

# rows in no order: the same cells, and what that costs
few=$(persons 1000000 $seed)
if [ ! -f "${few%.csv}.mixed.csv" ]; then
    head -1 "$few" >"$data/mixed.part"
    tail -n +2 "$few" | shuf --random-source="$here/LICENSE" 2>/dev/null >>"$data/mixed.part" ||
        tail -n +2 "$few" | shuf --random-source="$few" >>"$data/mixed.part"
    mv "$data/mixed.part" "${few%.csv}.mixed.csv"
fi
for order in '' .mixed; do
    "$puan" frame "${few%.csv}$order.csv" -o "$data/order$order.frame" --quiet >/dev/null
done
for t in "$t1" "$t4"; do
    a=$(median "$puan" table "$data/order.frame" --by "$t" --summary --quiet)
    cp "$data/out" "$data/out.order"
    b=$(median "$puan" table "$data/order.mixed.frame" --by "$t" --summary --quiet)
    cmp "$data/out" "$data/out.order"
    row "one million mixed: $(echo "$t" | cut -c 1-24)" "$b" ms "in order $a ms" "$(ratio "$a" "$b")"
done
