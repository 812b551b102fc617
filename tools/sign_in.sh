#!/bin/sh
# Signs an account of a demo in over the API and prints the session's token.
# usage: tools/sign_in.sh ADDRESS CAMPAIGN ACCOUNT [ACCOUNTS_FILE]
#   tools/sign_in.sh http://127.0.0.1:8020 zz-mine parish-clerk.21101 demo-data/accounts.txt
# Needs curl, openssl, base32 and od.
set -eu
[ $# -ge 3 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
file=${4:-demo-data/accounts.txt}
line=$(awk -v n="$3" '$2 == n { print $3, $4; exit }' "$file")
[ -n "$line" ] || { echo "sign_in: $file has no account $3" >&2; exit 1; }
secret=${line% *}
key=$(printf '%s' "${line#* }" | base32 -d | od -An -v -tx1 | tr -d ' \n')

# The code of the second factor (RFC 6238), of now.
n=$(($(date +%s) / 30))
bytes=
for shift in 56 48 40 32 24 16 8 0; do
    bytes="$bytes\\0$(printf '%03o' $(((n >> shift) & 255)))"
done
hash=$(printf '%b' "$bytes" |
    openssl dgst -sha1 -mac HMAC -macopt "hexkey:$key" | sed 's/.* //')
at=$((0x$(printf '%s' "$hash" | cut -c40) * 2 + 1))
part=$(printf '%s' "$hash" | cut -c"$at-$((at + 7))")
code=$(printf '%06d' $(((0x$part & 0x7fffffff) % 1000000)))

curl -sS "$1/api/v1/c/$2/login" -H 'Content-Type: application/json' \
    -d "{\"name\":\"$3\",\"secret\":\"$secret\",\"code\":\"$code\"}" |
    sed -n 's/.*"token":"\([^"]*\)".*/\1/p' | grep . || {
    echo "sign_in: refused; a code holds once, try again in half a minute" >&2
    exit 1
}
