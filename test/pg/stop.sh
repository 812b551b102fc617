#!/bin/sh
# Stops the PostgreSQL that start.sh made in DIR and removes its files.
# usage: test/pg/stop.sh DIR
set -eu
dir=$(cd "${1:?usage: stop.sh DIR}" && pwd)
bin=${PUAN_PG_BIN:-/usr/lib/postgresql/15/bin}
cd "$dir"
if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=postgres --regid=postgres --init-groups \
        "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop || true
else
    "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop || true
fi
[ -f "$dir/socket" ] && rm -rf "$(cat "$dir/socket")"
rm -rf "$dir/data" "$dir/socket" "$dir/initdb.log" "$dir/start.log"
