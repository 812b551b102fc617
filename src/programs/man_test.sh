#!/bin/sh
# Every command has a manual page with its sections, and groff takes it
# without a warning but on long Chinese words, where groff is at hand.
# usage: man_test.sh PUAN
set -u
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
"$1" help --man "$dir" || exit 1
bad=0
fault() {
    echo "$*"
    bad=1
}
# the overview names as many pages as there are
n=$(ls "$dir" | wc -l)
named=$(grep -c '^\.BR puan.*(1)$' "$dir/puan.1")
[ "$n" = $((named + 1)) ] || fault "puan.1 names $named of $((n - 1)) pages"
[ "$n" -gt 20 ] || fault "only $n pages"
for page in "$dir"/puan-*.1; do
    for s in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS'; do
        grep -q "^\.SH $s\$" "$page" || fault "${page##*/} has no $s"
    done
done
if command -v groff >/dev/null; then
    for page in "$dir"/*.1; do
        said=$(groff -Kutf8 -man -Tutf8 -ww -Wbreak -z "$page" 2>&1) || bad=1
        [ -z "$said" ] || fault "${page##*/}: $said"
    done
fi
exit $bad
