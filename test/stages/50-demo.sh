#!/bin/sh
# The whole census at a small scale, as ./demo runs it; then what ./demo serves
# at its end: the day with returns still arriving, the finished census, and the
# page of keys, until a signal ends all of it.
set -eu
dir=$(mktemp -d /tmp/puan-demo.XXXXXX)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$dir"' EXIT
"$PUAN" demo --plans plans --data data --area 370883 --scale 0.01 \
    --dir "$dir/d" --report "$dir/report.json" --listen 127.0.0.1:8121 \
    >"$dir/out" 2>&1 &
pid=$!
for i in $(seq 300); do
    grep -q 'Ctrl-C' "$dir/out" && break
    kill -0 "$pid" 2>/dev/null || break
    sleep 1
done
grep -q 'Ctrl-C' "$dir/out" || { cat "$dir/out"; exit 1; }
node test/demo_report.mjs "$dir/report.json"
node test/demo_live.mjs "$dir/d/accounts.json" "$dir/out"
kill -INT "$pid"
code=0
wait "$pid" || code=$?
pid=
[ "$code" = 0 ] || { echo "ended with $code"; exit 1; }
! curl -s -o /dev/null http://127.0.0.1:8121/healthz || {
    echo "a server outlived the demonstration"
    exit 1
}
"$PUAN" ledger verify "$dir/d/day"
