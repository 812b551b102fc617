#!/bin/sh
# Runs an example on its data and compares what it prints.
# usage: run.sh PROGRAM EXPECTED DATA
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
"$1" "$3" >"$out" || exit 1
diff -u "$2" "$out"
