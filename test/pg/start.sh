#!/bin/sh
# Makes and starts a PostgreSQL of its own in DIR, on a unix socket only, and
# prints its address.  As root it runs as user postgres, since PostgreSQL
# refuses root.  usage: test/pg/start.sh DIR
set -eu
dir=${1:?usage: start.sh DIR}
bin=${PUAN_PG_BIN:-/usr/lib/postgresql/15/bin}
[ -x "$bin/initdb" ] || {
    echo "$bin/initdb is missing: apt-get install postgresql-15" >&2
    exit 5
}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
as() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=postgres --regid=postgres --init-groups \
            env -i PATH="$PATH" LC_ALL=C.UTF-8 "$@"
    else
        env LC_ALL=C.UTF-8 "$@"
    fi
}
if [ "$(id -u)" = 0 ]; then
    chown postgres:postgres "$dir"
    chmod 755 "$dir"
fi
cd "$dir"
as "$bin/initdb" -D "$dir/data" -U puan -A trust -E UTF8 --no-sync \
    >"$dir/initdb.log" 2>&1 || {
    cat "$dir/initdb.log" >&2
    exit 5
}
# a socket path holds about 100 bytes, so it has a short place of its own
sock=$(as mktemp -d /tmp/pgs.XXXXXX)
chmod 755 "$sock"
echo "$sock" >"$dir/socket"
as "$bin/pg_ctl" -D "$dir/data" -w -t 60 -l "$dir/data/log" \
    -o "-c listen_addresses= -c unix_socket_directories=$sock -c unix_socket_permissions=0777 -c max_connections=200" \
    start >"$dir/start.log" 2>&1 || {
    cat "$dir/start.log" "$dir/data/log" >&2
    exit 5
}
echo "postgresql:///postgres?host=$sock&user=puan"
