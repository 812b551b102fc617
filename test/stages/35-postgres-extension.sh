#!/bin/bash
# CREATE EXTENSION puan on a real PostgreSQL: the vectors and the rules of all
# packs give there what they give everywhere, and test/pg/extension.sql.
set -eu
cd "$(dirname "$0")/../.."
: "${PUAN:=build/puan}"
build=$(dirname "$(realpath "$PUAN")")
[ -f "$build/ext/pg/puan.so" ] || {
    echo "$build/ext/pg/puan.so is missing: install postgresql-server-dev-15" \
        "and configure the build anew"
    exit 5
}
dir=$(mktemp -d /tmp/puan-ext.XXXXXX)
chmod 755 "$dir"
stop() {
    PUAN_PG_BIN=$bin test/pg/stop.sh "$dir/db" >/dev/null 2>&1 || true
    rm -rf "$dir"
}
bin=$(test/pg/tree.sh "$dir/tree" "$build")
trap stop EXIT
url=$(PUAN_PG_BIN=$bin test/pg/start.sh "$dir/db")
psql -q "$url" -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION puan'
packs=()
for txt in test/vectors/plans/*.txt; do
    name=$(basename "$txt" .txt)
    "$PUAN" plan json "plans/$name" >"$dir/$name.json"
    packs+=("$dir/$name.json")
done
node ext/pg/vectors.mjs test/vectors "${packs[@]}" | psql -q "$url" | tee "$dir/vectors"
awk '/ failures$/ { ok = $1 >= 600 && $7 >= 900 && $(NF - 1) == 0 } END { exit !ok }' "$dir/vectors"
psql -q "$url" -f test/pg/extension.sql 2>&1 | tee "$dir/extension"
n=$(grep -c '^ok' "$dir/extension")
[ "$n" -ge 24 ] && ! grep -qv '^ok' "$dir/extension"
