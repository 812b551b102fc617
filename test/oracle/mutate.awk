# Spoils returns with a fixed seed, so that every edit rule finds something:
# wrong cells, doubled, swapped and missing rows, whole-dead households.
#
#   awk -v kind=household|person|death -v seed=1 -f mutate.awk IN.csv
#
# The input has the columns of run_rules.sh, in its order.  Decisions about a
# whole household come from its key alone, so that the files agree.

BEGIN {
    FS = OFS = ","
    state = seed * 7919 + 17
    value["H1"] = "1 2 2 3 - ! x"
    value["H2a"] = "0 1 2 3 12 20 - x"
    value["H2b"] = "0 1 2 3 9 20 - x"
    value["H3m"] = value["H3f"] = "0 1 1 2 3 -1 x - !"
    value["H4m"] = value["H4f"] = "0 1 1 2 3 1000 x - !"
    value["H5"] = "1 1 2 3 4 5 6 - x"
    value["H6"] = "0 1 4 5 12 29 100 361 999 1000 1001 3000 - x"
    value["H7"] = "0 1 2 3 3 20 21 40 - x"
    value["P_mode"] = "enumerator enumerator self - x"
    value["P_signed"] = "1 2 - ! x"
    value["P_seconds"] = "10 59 60 119 120 600 - x"
    value["P_start"] = "0 359 360 900 1350 1351 - x"
    value["P_distance"] = "0 200 201 5000 - x"
    value["D1"] = value["S1"] = "- ! 123 王 测试 张三 阿卜杜热合曼阿卜杜热合曼阿卜杜热合曼阿卜杜热合曼阿布 @ @"
    value["D2"] = "0 1 1 2 2 3 3 4 4 5 6 6 7 8 9 10 - x"
    value["D3"] = value["S2"] = "- ! !refused 37088318850615013 37088318850615O133 370883188502300133 370883202011010133 160883188506150134 810000199001010018 37088318850615007x # # # # @ @"
    value["D4"] = value["S3"] = "1 2 1 2 3 - x @"
    value["D5"] = value["S4"] = "% % % % % % % 2020-11 2020-13 2020-10 2019-11 2019-10 2020-04 2020-05 1894-10 1895-11 1885-01 1879-12 - ! x @"
    value["D6"] = value["S6"] = "01 03 11 15 97 98 57 1 - x"
    value["D7"] = "1 1 2 3 4 5 5 6 7 7 8 - x"
    value["D7a"] = "370883 370811 430407 4304 - ! x"
    value["D8"] = "1 1 2 3 4 4 5 5 6 - x"
    value["D8a"] = "370883 370811 430407 350402 43 - !"
    value["D9"] = "1 1 2 3 4 5 6 7 8 9 10 - !"
    value["D10"] = "0 1 2 3 4 5 6 7 8 9 10 - !"
    value["D11"] = value["S7"] = "1 2 3 4 5 6 7 8 9 10 - !"
    value["D12"] = "1 2 2 3 - !"
    value["S5"] = "2019-10 2019-11 2020-05 2020-10 2020-11 2021-01 2018-12 - !"
    value["S8"] = "1 2 3 4 5 - !"
    for (v in value)
        gsub(/,/, "", value[v])
}

function rnd(n) {
    state = (state * 16807) % 2147483647
    return int(state / 7) % n
}

# A number below n that depends on the household and `salt` alone.
function fate(h, salt, n,    x) {
    x = (substr(h, 7, 6) * 31 + substr(h, 13) * 7 + salt * 104729 + seed * 613) % 999983
    x = (x * 16807) % 2147483647
    return int(x / 11) % n
}

function month() {
    return sprintf("%04d-%02d", 1900 + rnd(121), 1 + rnd(12))
}

function spoil(c,    n, list, v, k) {
    n = split(value[name[c]], list, " ")
    v = list[1 + rnd(n)]
    if (v == "-")
        return ""
    if (v == "%")
        return month()
    if (v == "@")
        return before[c]
    if (v == "#" && length($c) == 18) { # one digit changed
        k = 1 + rnd(18)
        return substr($c, 1, k - 1) rnd(10) substr($c, k + 1)
    }
    return v == "#" ? "" : v
}

function dead(h) { return substr(h, 16) == "001" && fate(h, 1, 12) == 0 }
function bare(h) { return fate(h, 2, 2) == 0 } # the dead household is as it should be

NR == 1 {
    for (i = 1; i <= NF; i++)
        name[i] = $i
    columns = NF
    print
    next
}

{
    h = $1
    if (kind == "household") {
        for (i = 2; i <= columns; i++) {
            if (name[i] == "P_mode" && $i == "")
                $i = fate(h, 3, 3) ? "enumerator" : "self"
            if (name[i] == "P_signed" && $i == "")
                $i = 1
            if (name[i] == "P_seconds" && $i == "")
                $i = 600 + fate(h, 4, 600)
            if (name[i] == "P_start" && $i == "")
                $i = 480 + fate(h, 5, 720)
            if (name[i] == "P_distance" && $i == "" && fate(h, 3, 3))
                $i = fate(h, 6, 150)
        }
    }
    if (dead(h)) {
        $1 = substr(h, 1, 15) "999"
        if (bare(h)) {
            if (kind == "person")
                next
            if (kind == "household")
                for (i = 2; i <= columns; i++)
                    if (name[i] !~ /^(H4|P_)/)
                        $i = ""
        }
    }
    if (kind != "household" && fate(h, 7, 150) == 0)
        next # nobody is left
    if (kind == "person" && fate(h, 8, 80) == 0 && h == last_h)
        $3 = 9 # all strangers
    if (rnd(4) == 0) {
        $(2 + rnd(columns - 1)) = ""
        for (k = rnd(3); k >= 0; k--) {
            c = 2 + rnd(columns - 1)
            $c = spoil(c)
        }
    } else if (rnd(2) == 0) {
        c = 2 + rnd(columns - 1)
        $c = spoil(c)
    }
    if (fate(h, 9, 4) == 0 && h != last_h && kind != "household")
        $(kind == "person" ? 4 : 3) = "37088318850615007X" # alive and dead
    last_h = h
    for (i = 1; i <= columns; i++)
        before[i] = $i
    if (kind != "household" && rnd(40) == 0) {
        swap = swap $0 "\n" # comes after the next row
    } else {
        print
        if (kind == "household")
            next
        for (k = rnd(60) ? 0 : 1 + rnd(8); k > 0; k--)
            print
        if (swap != "" && substr(swap, 1, 18) == $1)
            printf "%s", swap
        else if (swap != "")
            printf "%s", swap
        swap = ""
    }
}

END {
    printf "%s", swap
}
