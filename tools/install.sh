#!/bin/sh
# Installs the Debian packages that building, or building and testing, needs
# and that are missing.  Debian 12 or Ubuntu, as root or with sudo; apt only.
# usage: tools/install.sh build|test
set -eu

build="gcc libc6-dev meson ninja-build pkg-config ca-certificates
 libmicrohttpd-dev libsqlite3-dev libpq-dev libssl-dev libargon2-dev
 libyaml-dev zlib1g-dev libgeos-dev libminizip-dev libxml2-dev libxlsxwriter-dev libpango1.0-dev fonts-noto-cjk
 clang lld python3 nodejs npm"
test="libcmocka-dev libjansson-dev libclang-rt-14-dev clang-tidy
 chromium postgresql sqlite3 curl git procps"

# the headers of the server that "postgresql" means, for ext/pg
case $(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}") in
jammy) test="$test postgresql-server-dev-14" ;;
noble) test="$test postgresql-server-dev-16" ;;
*) test="$test postgresql-server-dev-15" ;;
esac

case "${1:-}" in
build) want=$build ;;
test) want="$build $test" ;;
*)
    echo "usage: tools/install.sh build|test" >&2
    exit 2
    ;;
esac

if ! command -v apt-get >/dev/null; then
    echo "tools/install.sh: apt-get not found; Debian 12 or Ubuntu is" \
        "expected. On another system install these yourself:" $want >&2
    exit 5
fi

have() { # a package, or for the named ones the program it brings
    case "$1" in
    nodejs) # 18 and later will do
        v=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null)
        [ "${v:-0}" -ge 18 ] && return 0
        ;;
    npm) command -v npm >/dev/null && return 0 ;;
    chromium) command -v chromium >/dev/null && return 0 ;;
    libclang-rt-14-dev)
        # elsewhere the runtime goes by another version number
        ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a \
            >/dev/null 2>&1 && return 0
        ;;
    esac
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for p in $want; do
    have "$p" || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null; then
    as_root=sudo
else
    echo "tools/install.sh: these packages are missing and neither root nor" \
        "sudo is at hand:$missing" >&2
    exit 5
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $as_root apt-get update -q &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
        --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "tools/install.sh: apt-get could not install:$missing" >&2
    exit 5
fi
