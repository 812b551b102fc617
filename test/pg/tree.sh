#!/bin/sh
# A PostgreSQL tree of one's own in DIR, so that CREATE EXTENSION puan can be
# tried without writing into the system's: the programs are copies (they look
# for their files beside themselves), all else is links, and the extension of
# BUILD stands beside them.  Prints the folder of the programs, for
# PUAN_PG_BIN.  usage: test/pg/tree.sh DIR BUILD
set -eu
dir=${1:?usage: tree.sh DIR BUILD} build=${2:?usage: tree.sh DIR BUILD}
pg_config=${PG_CONFIG:-pg_config}
bin=$($pg_config --bindir) lib=$($pg_config --pkglibdir) share=$($pg_config --sharedir)
here=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$build" && pwd)
mkdir -p "$dir$bin" "$dir$lib" "$dir$share/extension"
dir=$(cd "$dir" && pwd)
chmod 755 "$dir"
for p in postgres initdb pg_ctl; do
    cp "$bin/$p" "$dir$bin/$p"
done
for f in "$lib"/*; do
    [ -e "$dir$lib/$(basename "$f")" ] || ln -s "$f" "$dir$lib/"
done
for f in "$share"/*; do
    [ "$(basename "$f")" = extension ] || ln -s "$f" "$dir$share/"
done
for f in "$share"/extension/*; do
    ln -s "$f" "$dir$share/extension/"
done
cp "$build"/ext/pg/puan.so "$build"/ext/pg/puan_vectors.so "$dir$lib/"
cp "$here"/ext/pg/puan.control "$here"/ext/pg/puan--1.0.sql "$dir$share/extension/"
chmod -R a+rX "$dir"
echo "$dir$bin"
