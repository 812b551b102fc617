#!/bin/sh
# puan-paper sets a document as PDF, the same each time, over as many pages as
# it needs, and refuses what it cannot show.
# usage: paper_test.sh PUAN_PAPER DOCUMENT.json
set -eu
paper=$1
doc=$2
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT
bad() {
    echo "FAIL $*"
    exit 1
}
pages() { grep -ac "/Type /Page %" "$1" || true; }

"$paper" <"$doc" >"$t/a.pdf"
"$paper" <"$doc" >"$t/b.pdf"
[ "$(head -c 5 "$t/a.pdf")" = "%PDF-" ] || bad "no PDF"
cmp -s "$t/a.pdf" "$t/b.pdf" || bad "two runs differ"
[ "$(pages "$t/a.pdf")" = 2 ] || bad "pages: $(pages "$t/a.pdf")"

# a long table goes over pages
rows=$(i=0; while [ $i -lt 400 ]; do printf '["%d","第%d行"],' $i $i; i=$((i + 1)); done)
echo '{"title":"表","body":[{"table":{"columns":[{"head":"号"},{"head":"事"}],"rows":['"${rows%,}"']}}]}' \
    >"$t/long.json"
"$paper" <"$t/long.json" >"$t/long.pdf"
[ "$(pages "$t/long.pdf")" -ge 9 ] || bad "long: $(pages "$t/long.pdf")"

# a character nobody has is named, and nothing is written
printf '{"title":"甲\356\200\200乙"}' >"$t/odd.json"
rc=0
"$paper" <"$t/odd.json" >"$t/odd.pdf" 2>"$t/odd.err" || rc=$?
[ $rc = 3 ] || bad "unknown character: exit $rc"
grep -q 'title: no font here has the character U+E000' "$t/odd.err" ||
    bad "unknown character: $(cat "$t/odd.err")"
[ ! -s "$t/odd.pdf" ] || bad "half a file"

rc=0
echo '{"titel":"x"}' | "$paper" >"$t/x.pdf" 2>"$t/x.err" || rc=$?
[ $rc = 3 ] && grep -q 'paper:1:10: .*titel' "$t/x.err" || bad "$(cat "$t/x.err")"
rc=0
echo '{"title":"x","page":{"fonts":{"body":["No Such Font"]}}}' |
    "$paper" >"$t/x.pdf" 2>"$t/x.err" || rc=$?
[ $rc = 5 ] && grep -q 'No Such Font' "$t/x.err" || bad "$(cat "$t/x.err")"
"$paper" --fonts <"$doc" | grep -q '^body	' || bad "fonts"
echo ok
