#!/bin/sh
# Several counties, with duplicates and pairs across them.
set -eu
dir=$(mktemp -d /tmp/puan-demo.XXXXXX)
trap 'rm -rf "$dir"' EXIT
"$PUAN" demo --plans plans --data data --once --area 3708 --scale 0.002 \
    --dir "$dir/d" --report "$dir/report.json" --listen 127.0.0.1:8122
node test/demo_report.mjs "$dir/report.json"
