#!/bin/sh
# The core as web/wasm/puan.wasm, for the web build: what meson makes of
# ext/wasm, without meson.  usage: tools/wasm.sh [OUT]
set -eu
cd "$(dirname "$0")/.."
out=${1:-web/wasm/puan.wasm}
cc=${WASM_CC:-clang}
for tool in "$cc" wasm-ld python3; do
  command -v "$tool" >/dev/null || {
    echo "tools/wasm.sh: $tool is not installed (Debian: clang lld python3)" >&2
    exit 5
  }
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# The sources of base and core as meson.build lists them, without the subjects
# that need real numbers (core_real_src).
sources=$(ls src/base/*.c | grep -v _test.c)
for d in src/core/*/; do
  grep -q '^core_real_src' "$d/meson.build" 2>/dev/null && continue
  sources="$sources $(ls "$d"*.c 2>/dev/null | grep -v _test.c || :)"
done
python3 tools/amalgamate.py . "$tmp/puan_core.c" $sources
mkdir -p "$(dirname "$out")"
"$cc" --target=wasm32 -std=c11 -O2 -ffreestanding -nostdlib \
  -mbulk-memory -mnontrapping-fptoint -fvisibility=hidden \
  -Wall -Wextra -Werror -Wno-unused-function -Wno-missing-field-initializers \
  -Isrc -Wl,--no-entry -Wl,-z,stack-size=1048576 -Wl,--gc-sections \
  -Wl,--strip-all ext/wasm/wasm.c "$tmp/puan_core.c" -o "$tmp/puan.wasm"
# The same bytes stay in place, so that nothing is built again for them.
cmp -s "$tmp/puan.wasm" "$out" || cp "$tmp/puan.wasm" "$out"
echo "$out: $(wc -c <"$out") bytes"
