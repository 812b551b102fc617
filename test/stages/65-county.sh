#!/bin/sh
# The county's tables from a campaign of all forms, by the command line alone:
# simulate, import, check, figures, code, tabulate; held against the files.
set -eu
dir=$(mktemp -d /tmp/puan-county.XXXXXX)
trap 'rm -rf "$dir"' EXIT
sim=$dir/sim c=$dir/c ret=$dir/sim/returns/370883
pack=plans/cn-population-2020 prog=plans/cn-population-2020/programmes
"$PUAN" simulate --plan $pack --area 370883 --scale 0.01 --seed 4 --out "$sim" \
    >"$dir/log" 2>&1
"$PUAN" init "$c" --plan $pack --birth demo >"$dir/log" 2>&1
{
    "$PUAN" import "$c" "$sim/areas.csv" "$sim/listing.csv"
    "$PUAN" import "$c" --form short --at 2020-11-12T12:00:00+08:00 \
        "$ret"/household.csv "$ret"/person.csv "$ret"/death.csv "$ret"/visit.csv
    "$PUAN" import "$c" --form hmt "$ret"/hmt/*.csv
    "$PUAN" import "$c" --form death "$ret"/death/*.csv
    "$PUAN" import "$c" --form long --at 2020-11-20T12:00:00+08:00 \
        "$ret"/long/*.csv
} >"$dir/log" 2>&1

# findings of every form
rc=0
"$PUAN" check "$c" --quiet --out "$dir/f.csv" || rc=$?
[ $rc = 1 ]
"$PUAN" check --plan $pack --form long "$ret"/long/*.csv --quiet \
    --out "$dir/g.csv" || rc=$?
# by CSV and by campaign the same rules in the same households; rules that
# compare two texts need the texts
awk -F, '$1 == "long" { print $2 "," $5 }' "$dir/f.csv" | sort >"$dir/a"
awk -F, 'NR > 1 && $4 !~ /^(RP16|RS05)$/ { print $1 "," $4 }' "$dir/g.csv" |
    sort >"$dir/b"
[ -s "$dir/a" ]
cmp "$dir/a" "$dir/b"

# figures of areas, and dossiers of one number
rc=0; "$PUAN" figures "$c" --quiet --figures "$dir/fig.csv" >/dev/null || rc=$?
[ $rc -le 1 ]; grep -q returns "$dir/fig.csv"
rc=0; "$PUAN" figures "$c" --dossier identity --quiet >"$dir/dos.csv" || rc=$?
[ $rc -le 1 ]; grep -q RX01 "$dir/dos.csv"

# industry and occupation from the texts; names are not opened
rc=0; "$PUAN" code texts "$c" --items C1 --out "$dir/x.csv" 2>/dev/null || rc=$?
[ $rc = 4 ]
"$PUAN" code texts "$c" --items C20,C20b --quiet --out "$dir/i.csv"
"$PUAN" code texts "$c" --items C21 --quiet --out "$dir/o.csv"
"$PUAN" code --plan $pack --text C20,C20b --sure 0 --quiet "$dir/i.csv" \
    --out "$dir/ic.csv" >/dev/null || true
"$PUAN" code --plan $pack --of occupation --text C21 --sure 0 --quiet \
    "$dir/o.csv" --out "$dir/oc.csv" >/dev/null || true
# of the simulator's jobs: the section is right for 95 of 100, the group for 85
awk -F, 'NR == FNR { t[$2 "," $3] = $4; next } FNR > 1 && $5 == "coded" {
    n++; d += substr(t[$1 "," $2], 1, 2) == substr($6, 1, 2)
    g += substr(t[$1 "," $2], 1, 3) == substr($6, 1, 3)
} END { exit !(n > 300 && d > .95 * n && g > .85 * n) }' \
    "$sim/work_long.csv" "$dir/ic.csv"

# the three programmes
"$PUAN" table "$c" --programme $prog/county-2020.yaml --quiet --out "$dir/t1.csv"
"$PUAN" table "$c" --programme $prog/county-2020-long.yaml --quiet \
    --codes C20c="$dir/ic.csv" --codes C21c="$dir/oc.csv" --out "$dir/t2.csv"
"$PUAN" table "$c" --programme $prog/county-2020-urban.yaml --quiet \
    --rules $prog/classification.rules \
    --lookup classification="$sim/classification.csv" --out "$dir/t3.csv"
cat >"$dir/get.awk" <<'AWK'
FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
$1 == "_T" { print $at[want] }
AWK
get() { awk -F, -v want="$2" -f "$dir/get.awk" "$1"; }

# workers with a code, and their sections, add up to the coded answers
coded=$(awk -F, 'FNR > 1 && $5 == "coded"' "$dir/ic.csv" | wc -l)
[ "$(get "$dir/t2.csv" lf_ind_total)" -le "$coded" ]
sum=0
for s in A B C D E F G H I J K L M N O P Q R S T; do
    sum=$((sum + $(get "$dir/t2.csv" lf_ind_$s)))
done
[ $sum = "$(get "$dir/t2.csv" lf_ind_total)" ]
# dwellings of the long form, counted from the file
lift=$(awk -F, 'FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["H1"] == 1 && $at["H5"] == 1 && $at["H11"] == 1' "$ret/long/household.csv" |
    wc -l)
n=$(get "$dir/t2.csv" lf_hh_lift) # some households have no resident
[ "$n" -le "$lift" ] && [ "$n" -ge $((lift * 8 / 10)) ]
# town and country are everybody
pop=$(get "$dir/t3.csv" pop)
[ "$pop" = "$(get "$dir/t1.csv" pop)" ]
[ $(($(get "$dir/t3.csv" pop_urban) + $(get "$dir/t3.csv" pop_rural))) = "$pop" ]
[ "$(get "$dir/t3.csv" pop_unclassified)" = 0 ]
"$PUAN" ledger verify "$c" >/dev/null 2>&1
