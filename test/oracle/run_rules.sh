#!/bin/bash
# Compares the findings of `puan check` with those of an independent wording in
# SQL (rules.sql), rule by rule, both ways, over simulated returns as they came
# and once more after mutate.awk has spoilt them.
#
# usage: run_rules.sh DIR [WORK]     DIR: of puan simulate; WORK: kept when given
# env:   PUAN (build/puan)  PLAN (plans/cn-population-2020)  SEED (1)
#
# Exits 1 on any difference, and also when fewer than 60 rules were compared or
# fewer than 40 of them found anything: then nothing would have been shown.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
puan=${PUAN:-$root/build/puan}
plan=${PLAN:-$root/plans/cn-population-2020}
seed=${SEED:-1}
dir=${1:?usage: run_rules.sh DIR [WORK]}
work=${2:-$(mktemp -d /tmp/puan-oracle.XXXXXX)}
[ $# -ge 2 ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
command -v sqlite3 >/dev/null || { echo "run_rules.sh: install sqlite3"; exit 5; }

household=household,H1,H2a,H2b,H3m,H3f,H4m,H4f,H5,H6,H7,P_mode,P_signed,P_seconds,P_start,P_distance
person=household,D1,D2,D3,D4,D5,D6,D7,D7a,D8,D8a,D9,D10,D11,D12
death=household,S1,S2,S3,S4,S5,S6,S7,S8
# shellcheck disable=SC2034
visit=household,mode,started,finished,signed

# The columns of $1, in that order, out of files that may have others; a column
# that a file does not have is empty.
columns() { # COLUMNS FILE…
    awk -v want="$1" '
        BEGIN { FS = ","; n = split(want, w, ","); print want }
        index($0, "\"") { print FILENAME ": quoted fields are not for this script" > "/dev/stderr"; exit 3 }
        { sub(/\r$/, "") }
        FNR == 1 { delete at; sub(/^\357\273\277/, ""); for (i = 1; i <= NF; i++) at[$i] = i; next }
        { line = ""; for (i = 1; i <= n; i++) line = line (i > 1 ? "," : "") (w[i] in at ? $(at[w[i]]) : ""); print line }
    ' "${@:2}"
}

compare() { # NAME: $work/NAME/{household,person,death}.csv, perhaps visit.csv
    local w=$work/$1 e rc=0 t=$SECONDS visits=
    [ ! -f "$w/visit.csv" ] || visits=$w/visit.csv
    rm -f "$w/oracle.db" "$w/findings.csv"
    "$puan" check --plan "$plan" --form short --quiet --json --out "$w/findings.csv" \
        "$w/household.csv" "$w/person.csv" "$w/death.csv" ${visits:+"$visits"} >"$w/check.json" 2>"$w/check.log" || rc=$?
    if [ $rc -gt 1 ]; then
        cat "$w/check.log"
        return 3
    fi
    {
        for e in h:household p:person d:death; do
            echo "CREATE TABLE ${e%%:*}_raw ($(head -1 "$w/${e#*:}.csv" | sed 's/,/ TEXT, /g') TEXT);"
            echo ".mode csv"
            echo ".import --skip 1 $w/${e#*:}.csv ${e%%:*}_raw"
        done
        if [ -n "$visits" ]; then
            echo "CREATE TABLE v_raw ($(head -1 "$visits" | sed 's/,/ TEXT, /g') TEXT);"
            echo ".import --skip 1 $visits v_raw"
            cat <<'SQL'
CREATE UNIQUE INDEX v_hh ON v_raw(household);
UPDATE h_raw SET P_mode = v.mode, P_signed = CASE v.signed WHEN 'true' THEN '1' ELSE '2' END,
  P_start = CASE WHEN v.started <> '' THEN substr(v.started, 12, 2) * 60 + substr(v.started, 15, 2) ELSE '' END,
  P_seconds = CASE WHEN v.started <> '' AND v.finished <> ''
    THEN CAST(strftime('%s', v.finished) - strftime('%s', v.started) AS TEXT) ELSE '' END
FROM v_raw v WHERE v.household = h_raw.household;
SQL
        fi
        echo "CREATE TABLE found (household INTEGER, line INTEGER, file_line INTEGER, rule TEXT, severity TEXT, message TEXT);"
        echo ".import --skip 1 $w/findings.csv found"
        echo "CREATE TABLE county (code INTEGER);"
        echo ".import '|cut -d, -f1 $here/../../data/census2020_areas.csv' county"
        echo ".read $here/rules.sql"
        cat <<'SQL'
CREATE INDEX oracle_r ON oracle(rule, household, line);
CREATE INDEX found_r ON found(rule, household, line);
CREATE TABLE verdict AS
SELECT rule, severity,
  (SELECT count(*) FROM found f WHERE f.rule = w.rule) AS puan,
  (SELECT count(*) FROM oracle o WHERE o.rule = w.rule) AS sql,
  (SELECT count(*) FROM (SELECT household, line FROM found f WHERE f.rule = w.rule
                         EXCEPT SELECT household, line FROM oracle o WHERE o.rule = w.rule)) AS only_puan,
  (SELECT count(*) FROM (SELECT household, line FROM oracle o WHERE o.rule = w.rule
                         EXCEPT SELECT household, line FROM found f WHERE f.rule = w.rule)) AS only_sql,
  (SELECT count(*) FROM found f WHERE f.rule = w.rule AND f.severity <> w.severity) AS other_severity
FROM wording w;
.mode column
.headers on
SELECT * FROM verdict ORDER BY rule;
.headers off
.mode list
SELECT 'not worded here: ' || group_concat(DISTINCT rule) FROM found WHERE rule NOT IN (SELECT rule FROM wording);
SELECT 'first differences:' WHERE EXISTS (SELECT 1 FROM verdict WHERE only_puan + only_sql > 0);
SELECT * FROM (SELECT 'only puan', rule, household, line FROM
  (SELECT rule, household, line FROM found WHERE rule IN (SELECT rule FROM wording) EXCEPT SELECT rule, household, line FROM oracle) LIMIT 20);
SELECT * FROM (SELECT 'only sql', rule, household, line FROM
  (SELECT rule, household, line FROM oracle EXCEPT SELECT rule, household, line FROM found) LIMIT 20);
SQL
    } >"$w/run.sql"
    echo "== $1: $(($(wc -l <"$w/household.csv") - 1)) households, $(($(wc -l <"$w/person.csv") - 1)) persons"
    sqlite3 "$w/oracle.db" <"$w/run.sql"
    echo "   $((SECONDS - t)) s"
}

mkdir -p "$work/asis" "$work/spoilt"
counties=$(find "$dir/returns" -mindepth 1 -maxdepth 1 -type d | LC_ALL=C sort)
[ -n "$counties" ] || { echo "run_rules.sh: no returns in $dir"; exit 3; }
for e in household person death visit; do
    files=
    for c in $counties; do [ ! -f "$c/$e.csv" ] || files="$files $c/$e.csv"; done
    # shellcheck disable=SC2086
    columns "${!e}" $files </dev/null >"$work/asis/$e.csv"
    [ $e != visit ] || continue
    awk -v kind=$e -v seed="$seed" -f "$here/mutate.awk" "$work/asis/$e.csv" >"$work/spoilt/$e.csv"
done

compare asis
compare spoilt

tally() { sqlite3 "$work/$1/oracle.db" "$2"; }
bad=0
for v in asis spoilt; do
    n=$(tally $v "SELECT count(*) FROM verdict WHERE only_puan + only_sql + other_severity > 0 OR puan <> sql")
    [ "$n" = 0 ] || { echo "$v: $n rules differ"; bad=1; }
    n=$(tally $v "SELECT count(*) FROM found WHERE rule NOT IN (SELECT rule FROM wording)")
    [ "$n" = 0 ] || { echo "$v: $n findings of rules that are not worded here"; bad=1; }
done
compared=$(tally spoilt "SELECT count(*) FROM verdict")
fired=$(tally spoilt "SELECT count(*) FROM verdict WHERE puan > 0 AND sql > 0")
echo "$compared rules compared, $fired of them with findings"
[ "$compared" -ge 60 ] || { echo "fewer than 60 rules compared"; bad=1; }
[ "$fired" -ge 40 ] || { echo "fewer than 40 rules with findings"; bad=1; }
exit $bad
