#!/bin/sh
# Every header compiles alone, and every x.c includes its own x.h first.
# usage: tools/check_headers.sh [SOURCE_ROOT]
cd "${1:-.}" || exit 2
bad=0
# what meson.build says of libraries that are loaded late (kit/os/late.h)
late="$(pkg-config --cflags libpq libmicrohttpd 2>/dev/null)"
late="$late -DPUAN_LIBPQ=\"\" -DPUAN_LIBGEOS=\"\" -DPUAN_LIBMICROHTTPD=\"\""
# puan-paper is built only where its libraries are
type="$(pkg-config --cflags pangocairo 2>/dev/null)" || without=src/programs/paper
for h in $(find src -name '*.h' ! -path "${without:-none}/*"); do
    if ! ${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Isrc $late $type \
        -fsyntax-only -x c "$h" 2>/tmp/header.$$; then
        cat /tmp/header.$$
        echo "$h does not compile alone"
        bad=1
    fi
done
rm -f /tmp/header.$$
for c in $(find src -name '*.c' ! -name '*_test.c'); do
    h=${c%.c}.h
    [ -f "$h" ] || continue
    first=$(grep -m1 -oE '^#include [<"][^>"]+' "$c" | cut -c11-)
    if [ "src/$first" != "$h" ]; then
        echo "$c includes $first before its own header"
        bad=1
    fi
done
exit $bad
