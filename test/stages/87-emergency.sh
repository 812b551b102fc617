#!/bin/sh
# Two weeks of an emergency in one county, played over HTTP as the seats would,
# the server killed in the middle; every deadline met, or told upward as the
# plan's files say.  The transcript is left in $PUAN_TRANSCRIPT or, when there
# is one, in build-check.
set -eu
dir=$(mktemp -d /tmp/puan-emergency.XXXXXX)
trap 'rm -rf "$dir"' EXIT
out=${PUAN_TRANSCRIPT:-$dir/emergency.md}
[ -n "${PUAN_TRANSCRIPT:-}" ] || [ ! -d build-check ] || out=build-check/emergency.md
node test/emergency.mjs "$PUAN" "$dir/x" "$out" 8187
[ "$(grep -c '^## ' "$out")" -ge 10 ] || { echo "no transcript of the days"; exit 1; }
