#!/bin/sh
# Holds the floors: a file includes its own floor or a lower one; core and kit
# do not see each other; a feature uses another only through its one header;
# ext sees base and core only; the simulator knows no rule, link or edit.
# usage: tools/check_floors.sh [SOURCE_ROOT]
cd "${1:-.}" || exit 2
bad=0
say() {
    echo "$1"
    bad=1
}

# includes of a path: FILE:LINE:TARGET
includes() {
    grep -rnoE --include='*.[ch]' '^#include "[^"]+"' "$@" 2>/dev/null |
        sed 's/#include "\(.*\)"/\1/'
}

includes src/base | grep -vE ':base/' &&
    say "base may include base only"
includes src/core | grep -vE ':(base|core)/' &&
    say "core may include base and core only"
includes src/kit | grep -vE ':(base|kit)/' &&
    say "kit may include base and kit only"
includes src/features | grep -E ':programs/' &&
    say "features may not include programs"
includes ext | grep -E ':(kit|features|programs)/' &&
    say "ext may include base and core only"
includes src/features/simulate | grep -E ':core/(rule|link|edit)/' &&
    say "the simulator may not know rules, linkage or edits"

# a feature's headers that others may use: its own name, or named in PUBLIC
includes src/features | grep ':features/' | while IFS=: read -r file line to; do
    own=$(echo "$file" | cut -d/ -f3)
    other=$(echo "$to" | cut -d/ -f2)
    name=$(basename "$to" .h)
    [ "$own" = "$other" ] && continue
    [ "$other" = host ] && continue # what a feature is: for all of them
    [ "$name" = "$other" ] && continue
    grep -qsx "$name.h" "src/features/$other/PUBLIC" && continue
    echo "$file:$line: $to is not the one header of feature $other"
done | { grep . && exit 1 || exit 0; } ||
    say "use a feature through its own header, or list the header in its PUBLIC"

# no hosted C library in base and core; the subjects of real numbers
# (core_real_src of meson.build) may have its mathematics
grep -rnE --include='*.[ch]' \
    '^#include <(stdio|stdlib|time|math|errno|string|unistd|pthread|locale)\.h>' \
    src/base src/core | grep -vE '_test\.c:|/test_[a-z_]+\.h:|src/base/mem\.h:|^src/core/(evaluate|sample|coder)/[a-z_]+\.c:[0-9]+:#include <math\.h>' &&
    say "base and core include no hosted C library header"

# forbidden calls anywhere
grep -rnwE --include='*.[ch]' \
    '(strcpy|strcat|sprintf|vsprintf|gets|strtok|localtime|gmtime|asctime|ctime|system|atoi|atol|atof|alloca)\(' \
    src ext bench test | grep -vE '(//|\*) ' &&
    say "banned call"

# nothing of one country's census in C
grep -rnE --include='*.[ch]' 'cn-population|cn-office|370883|公民身份' src |
    grep -vE '_test\.c:|/test_[a-z_]+\.[ch]:|\* |/\*|help|usage' &&
    say "what belongs to one census stands in a plan pack, not in C"

# nothing points outside the project
git ls-files 2>/dev/null | grep -v '^tools/check_floors.sh$' |
    xargs -d '\n' grep -nE '\.\./shared|(^|[ "=])/work/' -- &&
    say "a path outside the project"
exit $bad
