#!/bin/sh
# The whole census at a small scale, as ./demo runs it.
set -eu
dir=$(mktemp -d /tmp/puan-demo.XXXXXX)
trap 'rm -rf "$dir"' EXIT
"$PUAN" demo --plans plans --data data --once --area 370883 --scale 0.01 \
    --dir "$dir/d" --report "$dir/report.json" --listen 127.0.0.1:8121
node test/demo_report.mjs "$dir/report.json"
