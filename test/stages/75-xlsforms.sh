#!/bin/sh
# Forms written by others (test/xlsforms.lock), imported: each has its report,
# passes the check of a form, and carries over as much as it did when the lock
# was written.  They are not part of this project; absent ones are said aloud.
set -eu
from=${PUAN_XLSFORMS:-build-check/xlsforms}
dir=$(mktemp -d /tmp/puan-xlsforms.XXXXXX)
trap 'rm -rf "$dir"' EXIT
all=0 done=0 bad=0
tab=$(printf '\t')
while IFS=$tab read -r name repo commit path sha counts; do
    case "$name" in '' | '#'*) continue ;; esac
    all=$((all + 1))
    file=$from/$name.xlsx
    [ -f "$file" ] || continue
    [ "$(sha256sum "$file" | cut -d' ' -f1)" = "$sha" ] ||
        { echo "$name: another file than the lock names"; bad=1; continue; }
    out=$dir/$name
    "$PUAN" form import "$file" --out "$out.yaml" >"$out.report" ||
        { echo "$name: import failed"; tail -n 3 "$out.report"; bad=1; continue; }
    [ -f "$out.rules" ] || : >"$out.rules"
    "$PUAN" form check "$out.yaml" "$out.rules" ||
        { echo "$name: form check failed"; bad=1; continue; }
    got=$(sed -n 's/.*: \([0-9]*\) of \([0-9]*\) questions.*; \([0-9]*\) of \([0-9]*\) relevant, \([0-9]*\) of \([0-9]*\) constraint, \([0-9]*\) of \([0-9]*\) calculation$/\1\/\2 \3\/\4 \5\/\6 \7\/\8/p' "$out.report")
    [ "$got" = "$counts" ] ||
        { echo "$name: carried over $got, the lock says $counts"; bad=1; }
    done=$((done + 1))
done <test/xlsforms.lock
echo "$done of $all forms imported"
[ "$done" = "$all" ] || [ $bad = 1 ] ||
    echo "ABSENT: $((all - done)) of $all forms of test/xlsforms.lock are not in $from; tools/xlsforms.sh gets them"
exit $bad
