#!/bin/sh
# Prints the name under which programs load a library: what the link LIB.so of
# the development package leads to, else LIB.so itself.
# usage: tools/soname.sh CC LIB          (tools/soname.sh gcc libpq)
cc=$1 lib=$2
file=$($cc -print-file-name="$lib.so" 2>/dev/null)
name=$(readelf -d "$file" 2>/dev/null | sed -n 's/.*SONAME.*\[\(.*\)\].*/\1/p')
printf '%s' "${name:-$lib.so}"
