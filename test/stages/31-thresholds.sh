#!/bin/bash
# Moves every numeric constant of every pack's rules by one, up and down, and
# asks the cases of test/vectors/plans to notice each time.  A threshold that
# moves unseen fails.
set -eu
cd "$(dirname "$0")/../.."
test=$(realpath "$(dirname "${PUAN:-build/puan}")")/test_plan_rules
[ -x "$test" ] || { echo "build $test first: meson test plan_rules"; exit 5; }
dir=$(mktemp -d /tmp/puan-thresholds.XXXXXX)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/test"
cp -r plans "$dir/plans"
cp -r test/vectors "$dir/test/vectors"
cd "$dir"
export PUAN_RULES_ONLY=1 # explaining each case would take ten times as long
"$test" >/dev/null 2>&1 || { echo "the cases fail without any change"; exit 1; }
tried=0 unseen=0
for file in plans/*/rules/*.rules; do
    cp "$file" as-it-was
    for line in $(grep -nE '^const [a-z_]+ = [0-9]+' as-it-was | cut -d: -f1); do
        for by in 1 -1; do
            awk -v line="$line" -v by="$by" '
                NR == line { $4 += by } { print }' as-it-was >"$file"
            tried=$((tried + 1))
            if "$test" >/dev/null 2>&1; then
                echo "$file:$line: unseen: $(sed -n "${line}p" "$file")"
                unseen=$((unseen + 1))
            fi
        done
    done
    cp as-it-was "$file"
done
echo "$tried changes tried, $unseen unseen"
[ "$tried" -ge 100 ] && [ "$unseen" = 0 ]
