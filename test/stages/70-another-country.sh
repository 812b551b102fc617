#!/bin/sh
# Another country's census from plan files alone.
set -eu
dir=$(mktemp -d /tmp/puan-demo.XXXXXX)
trap 'rm -rf "$dir"' EXIT
"$PUAN" demo --plans plans --data data --plan zz-test --once --area ALL \
    --scale 0.01 --dir "$dir/d" --report "$dir/report.json" \
    --listen 127.0.0.1:8123
node test/demo_report.mjs "$dir/report.json"
