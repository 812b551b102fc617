#!/bin/sh
# Tampering with a real small directory: each wrong is done to a copy with
# sqlite3, and `puan ledger verify` must name it.  A witness made before lies
# outside the directory.  usage: PUAN=build/puan test/stages/40-tamper.sh
set -eu
cd "$(dirname "$0")/../.."
puan=$(realpath "$PUAN")
work=$(mktemp -d /tmp/puan-tamper.XXXXXX)
trap 'rm -rf "$work"' EXIT

# the windows of the plan are of another year: keep one open for this test
cp -r plans/zz-test "$work/zz-test"
sed -i 's/until: 2021-05-01/until: 2099-01-01/' "$work/zz-test/plan.yaml"
node test/ledger/make_city.mjs "$work"
"$puan" init "$work/true" --plan "$work/zz-test" --birth demo >/dev/null
"$puan" import "$work/true" "$work/areas.csv" "$work/listing.csv" \
    "$work/staff.csv"
head -n 120 "$work/returns.jsonl" >"$work/first.jsonl"
tail -n +121 "$work/returns.jsonl" >"$work/rest.jsonl"
"$puan" import "$work/true" "$work/first.jsonl"
cp -r "$work/true" "$work/old"
"$puan" import "$work/true" "$work/rest.jsonl"
# one is put into quarantine, which is a finding
"$puan" import "$work/true" "$work/stale.jsonl" || [ $? = 1 ]
"$puan" ledger witness "$work/true" --out "$work/witness.json"

good=0
# NAME KIND COMMAND…: does COMMAND in a copy, wants a problem of that KIND
wrong() {
    name=$1 kind=$2
    shift 2
    rm -rf "$work/copy"
    cp -r "$work/true" "$work/copy"
    (cd "$work/copy" && "$@")
    code=0
    "$puan" ledger verify "$work/copy" --json --witness "$work/witness.json" \
        >"$work/out.json" 2>"$work/err" || code=$?
    if [ "$code" != 1 ] || ! grep -q "\"kind\":\"$kind\"" "$work/out.json"; then
        echo "NOT FOUND: $name (exit $code, wanted $kind)"
        cat "$work/out.json" "$work/err"
        exit 1
    fi
    echo "found: $name -> $kind"
    good=$((good + 1))
}
office() {
    sqlite3 office.db "$1"
}
county() {
    sqlite3 returns/12.db "$1"
}

# SQL for a byte that is not the one at place AT of a column
another() {
    echo "CASE WHEN substr($1, $2, 1) = X'7F' THEN X'5A' ELSE X'7F' END"
}

"$puan" ledger verify "$work/true" --witness "$work/witness.json" >"$work/ok"
tail -n 1 "$work/ok"

# a changed byte in any entry: one in ten of them, at the front, in the middle
# and at the end of each
last=$(sqlite3 "$work/true/returns/12.db" 'SELECT MAX(seq) FROM ledger')
for seq in 0 13 26 39 52 65 78 91 104 117 "$last"; do
    for at in 1 40 -1; do
        wrong "byte $at of entry $seq" entry-changed county \
            "UPDATE ledger SET entry = CAST(CASE WHEN $at > 0
                 THEN substr(entry, 1, $at - 1)
                      || $(another entry "$at") || substr(entry, $at + 1)
                 ELSE substr(entry, 1, length(entry) - 1)
                      || $(another entry -1) END AS BLOB)
             WHERE seq = $seq"
    done
done
# a changed byte in any answer
for row in 1 60 120; do
    for column in frame facts vault; do
        wrong "last byte of $column of return $row" return-changed county \
            "UPDATE ret SET $column = CAST(substr($column, 1, length($column) - 1)
                 || $(another "$column" -1) AS BLOB) WHERE seq = $row"
    done
    wrong "version of return $row" return-changed county \
        "UPDATE ret SET version = version + 1 WHERE seq = $row"
    wrong "return $row removed" return-removed county \
        "DELETE FROM ret WHERE seq = $row"
done
wrong "entries cut off at the end" witness-longer county \
    "DELETE FROM ret WHERE entry > $last - 5;
     DELETE FROM ledger WHERE seq > $last - 5"
wrong "two entries swapped" entry-moved county \
    "UPDATE ledger SET seq = -1 WHERE seq = 50;
     UPDATE ledger SET seq = 50 WHERE seq = 51;
     UPDATE ledger SET seq = 51 WHERE seq = -1"
wrong "an entry removed from the middle" entries-missing county \
    "DELETE FROM ledger WHERE seq = 50"

rewritten() {
    # the first entry somebody made: those before it are schema steps
    n=$(sqlite3 returns/12.db "SELECT min(seq) FROM ledger
        WHERE instr(entry, CAST('operator' AS BLOB)) > 0")
    sqlite3 returns/12.db 'SELECT seq, hex(entry) FROM ledger ORDER BY seq' |
        node "$here/test/ledger/rechain.mjs" "$n" operator villain1 |
        sqlite3 returns/12.db
    rm -f checkpoints/*
}
here=$PWD
wrong "one entry changed, the whole chain recomputed" witness-differs rewritten
# without the witness this last one must be invisible: else the test of the
# witness would show nothing
code=0
"$puan" ledger verify "$work/copy" >"$work/out" 2>&1 || code=$?
[ "$code" = 0 ] || {
    echo "the rewritten chain was not well made"
    cat "$work/out"
    exit 1
}

old_store() {
    rm -f returns/12.db*
    cp ../old/returns/12.db* returns/
}
wrong "an old copy of a store put back" witness-longer old_store
old_all() {
    rm -rf ./*
    cp -r ../old/* .
}
wrong "an old copy of everything put back" witness-longer old_all

wrong "an area removed" row-changed office \
    "DELETE FROM area WHERE code = '11001002'"
wrong "a whole parish removed" row-removed office \
    "DELETE FROM area WHERE parent = '11001'"
wrong "a store taken off the list" row-removed office \
    "DELETE FROM shard WHERE area = 12"
wrong "an import forgotten" row-removed office \
    "DELETE FROM import WHERE kind = 'import.staff'"
wrong "an import forgotten, its line in covered too" row-removed office \
    "DELETE FROM import WHERE kind = 'import.staff';
     DELETE FROM covered WHERE tbl = 'import'
         AND seq = (SELECT MAX(seq) FROM covered WHERE tbl = 'import')"
wrong "a household struck off the listing" row-changed county \
    "DELETE FROM listing WHERE household = 120010010007"
wrong "a household added to the listing" row-changed county \
    "INSERT INTO listing SELECT household + 9000, ea, building, unit, status,
         mode, sealed, cells FROM listing WHERE household = 120010010007"
wrong "an area given to somebody else" row-changed county \
    "UPDATE assignment SET staff = 'villain' WHERE ea = 12001001"
wrong "a document taken out of quarantine" row-removed county \
    "DELETE FROM quarantine WHERE id = 1"
wrong "a return said to be somebody else's" return-changed county \
    "UPDATE ret SET actor = 'villain' WHERE seq = 7"
wrong "a store's file removed" store-missing rm -f returns/12.db
wrong "a file of the plan changed" plan-changed \
    sed -i 's/at_once: {value: 1h/at_once: {value: 9h/' \
    plan/zz-test/plan.yaml

# any bit of the file at all
rm -rf "$work/copy"
cp -r "$work/true" "$work/copy"
sqlite3 "$work/copy/returns/12.db" VACUUM
node test/ledger/flip.mjs "$puan" "$work/copy" 12 40

# proofs hold elsewhere, and only for what they prove
"$puan" ledger prove "$work/true" --store 12 --seq 50 >"$work/proof.json"
"$puan" ledger prove --check "$work/proof.json" --witness "$work/witness.json"
sed 's/"seq":50/"seq":51/' "$work/proof.json" >"$work/false.json"
code=0
"$puan" ledger prove --check "$work/false.json" 2>/dev/null || code=$?
[ "$code" = 1 ] || {
    echo "a false proof was taken"
    exit 1
}
echo "$good wrongs found"
