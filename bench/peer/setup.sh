# For measures, sourced: the file of persons and DuckDB beside it.
#   $data       folder, $PUAN_BENCH_DIR or build-bench/data; kept
#   persons N   path of the file of N persons; made once; that of ten million
#               is checked against the digest it must have
#   peer …      node duckdb.mjs …, DuckDB installed once
here=$(cd "$(dirname "$0")/.." && pwd)
data=${PUAN_BENCH_DIR:-$here/build-bench/data}
mkdir -p "$data"

persons() { # N [SEED]
    name=p$1${2:+-$2}
    case "$name" in
    p10000000) name=p10m ;;
    p1000000) name=p1m ;;
    esac
    if [ ! -f "$data/$name.csv" ]; then
        [ -x "$data/gen_persons" ] ||
            cc -O2 -o "$data/gen_persons" "$here/bench/peer/gen_persons.c"
        "$data/gen_persons" "$1" ${2:+2850 "$2"} >"$data/$name.part"
        mv "$data/$name.part" "$data/$name.csv"
    fi
    if [ "$name" = p10m ] && [ ! -f "$data/p10m.checked" ]; then
        echo "7b3430a9ea5ce410722ca5d5d082fd6ff76155745df4903f4d0c447fd3492d26  $data/p10m.csv" |
            sha256sum -c --quiet - >&2
        touch "$data/p10m.checked"
    fi
    echo "$data/$name.csv"
}

peer() {
    if [ ! -d "$data/peer/node_modules" ]; then
        mkdir -p "$data/peer"
        cp "$here/bench/peer/package.json" "$data/peer"
        (cd "$data/peer" && npm install --silent --no-audit --no-fund >&2)
    fi
    (cd "$data/peer" && node "$here/bench/peer/duckdb.mjs" "$@" --dir "$data")
}

# Milliseconds of a command: the median of nine after one to warm up, whose
# output goes to $data/out; that of the others goes nowhere, as a file emptied
# and written again waits for the disk.  Exit codes 0 and 1 (findings) are fine.
median() {
    "$@" >"$data/out" 2>"$data/errors" || [ $? = 1 ] || {
        cat "$data/errors" >&2
        return 1
    }
    for i in 1 2 3 4 5 6 7 8 9; do
        t0=$(date +%s%N)
        "$@" >/dev/null 2>&1 || :
        t1=$(date +%s%N)
        echo $(((t1 - t0) / 1000))
    done | sort -n | sed -n 5p | awk '{ printf "%.1f\n", $1 / 1000 }'
}

row() { # NAME VALUE UNIT AGAINST RATIO [LIMIT REACHED]
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$5" "${6:-}" "${7:-}"
}

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
