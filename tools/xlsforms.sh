#!/bin/sh
# Gets the forms named in test/xlsforms.lock from where they are published into
# a folder (build-check/xlsforms) and holds their digests against the lock's.
# Needs the network; no test calls it.
# usage: tools/xlsforms.sh [FOLDER]
set -eu
cd "$(dirname "$0")/.."
to=${1:-build-check/xlsforms}
mkdir -p "$to"
bad=0
tab=$(printf '\t')
while IFS=$tab read -r name repo commit path sha _; do
    case "$name" in '' | '#'*) continue ;; esac
    file=$to/$name.xlsx
    [ -f "$file" ] || {
        url=$(printf '%s' "$path" | sed 's/ /%20/g')
        curl -fsSL -o "$file.part" \
            "https://raw.githubusercontent.com/$repo/$commit/$url" ||
            { echo "$name: not to be had" >&2; bad=1; continue; }
        mv "$file.part" "$file"
    }
    [ "$(sha256sum "$file" | cut -d' ' -f1)" = "$sha" ] ||
        { echo "$name: another file than the lock names" >&2; bad=1; }
done <test/xlsforms.lock
exit $bad
