#!/bin/sh
# Makes the characters of a pack's coding/traditional.txt from ICU's transform
# Traditional-Simplified.  usage: tools/traditional.sh >FILE
# Needs uconv (Debian: icu-devtools) and python3.
set -eu
command -v uconv >/dev/null || {
    echo "tools/traditional.sh: uconv is not installed (icu-devtools)" >&2
    exit 5
}
python3 - <<'P'
import subprocess
s = ''.join(chr(c) for c in [*range(0x3400, 0x4dc0), *range(0x4e00, 0xa000)])
o = subprocess.run(['uconv', '-x', 'Traditional-Simplified'], input=s.encode(),
                   stdout=subprocess.PIPE, check=True).stdout.decode()
pairs = [a + b for a, b in zip(s, o) if a != b and 0x3400 <= ord(b) < 0xa000]
print('# Traditional characters and the simplified one each is read as: pairs,'
      ' 20 a line.\n# Made by tools/traditional.sh from the transform'
      ' Traditional-Simplified of ICU 72 (Unicode licence).')
for i in range(0, len(pairs), 20):
    print(' '.join(pairs[i:i + 20]))
P
