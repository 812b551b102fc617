/*
 * A small census of units, the plan plans/cn-economic-2018: legal units,
 * headquarters and branches, self-employed, direct reporters.  Faults are
 * planted, one a unit, each with the rules that must speak.  The same units go
 * two ways, as CSV files through puan check and as documents through ingest,
 * and both must give the planted findings and no others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/csv.h"
#include "features/duplicates/search.h"
#include "features/host/test_fixture.h"
#include "kit/os/os.h"

extern const struct puan_feature puan_feature_check;

static const char *engines[2];
static size_t n_engines;

#define CELLS 96
#define UNITS 160
#define EA INT64_C(370883001001001)

struct cell {
    const char *name, *value; /* NULL: asked and not answered */
};
struct row {
    struct cell cell[CELLS];
    size_t n;
};
struct unit {
    const char *form;
    int64_t key;
    struct row at;
    struct row branch[4];
    size_t n_branches;
    const char *expected; /* "RU14 RU35[2]", in the order of the rules' names */
};

static struct puan_arena arena;
static struct unit unit[UNITS];
static size_t n_units;

static void put(struct row *r, const char *name, const char *value)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->cell[i].name, name) == 0) {
            r->cell[i].value = value;
            return;
        }
    assert_true(r->n < CELLS);
    r->cell[r->n++] = (struct cell){ name, value };
}

/* NAME=VALUE pairs, apart by ';'. */
static void puts_of(struct row *r, const char *text)
{
    struct puan_str rest = puan_str_of(text), pair, name;

    while (puan_str_split(&pair, &rest, ';')) {
        pair = puan_str_trim(pair);
        if (pair.n == 0)
            continue;
        assert_true(puan_str_split(&name, &pair, '='));
        put(r, puan_arena_dup(&arena, name), puan_arena_dup(&arena, pair));
    }
}

/* ---- codes: written from GB 32100 and GB 11714, apart from core/form ---- */

static const char *credit_code(const char *kind, unsigned serial)
{
    static const char symbol[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    static const int inner[] = { 3, 7, 9, 10, 5, 8, 4, 2 };
    char *c = puan_arena_get(&arena, 20);
    int sum = 0, weight = 1, place;

    assert_non_null(c);
    puan_format(c, 20, "%s370883%08u", kind, serial);
    for (int i = 0; i < 8; i++)
        sum += (c[8 + i] - '0') * inner[i];
    c[16] = "0123456789X"[(11 - sum % 11) % 11];
    sum = 0;
    for (int i = 0; i < 17; i++) {
        place = (int)(strchr(symbol, c[i]) - symbol);
        sum += place * weight;
        weight = weight * 3 % 31;
    }
    c[17] = symbol[(31 - sum % 31) % 31];
    c[18] = '\0';
    return c;
}

/* ---- kinds of units without a fault ---- */

static const char common[] =
    "U105=钢山街道一号;U105r=370883001001;U201=张伟;U202=2010-05;"
    "U203=05375212345;U208=1";
static const char visit[] =
    "P_position=35.40,116.97;P_photo=1;P_away=12;P_outside=0";

static struct unit *next(const char *form, const char *expected)
{
    struct unit *u = &unit[n_units];

    assert_true(n_units < UNITS);
    *u = (struct unit){ .form = form,
                        .key = EA * 1000 + (int64_t)++n_units,
                        .expected = expected };
    return u;
}

static struct unit *shop(const char *expected)
{
    struct unit *u = next("unit", expected);

    puts_of(&u->at, common);
    puts_of(&u->at, visit);
    puts_of(&u->at,
            "U102=邹城市利民粮油商店;U103a=粮油零售;U103=5221;U104=E;U110=1;"
            "U191=3;U192=12;U192f=5;U205=173;U206=3;U207=90;U209=1;U211=10;"
            "U214=2;E01=1;E02=1;E03=120;P1=12;P2=480;F1=1000;F2=400;F3=600;"
            "F4=300;F5=100;F6=3000;F7=3000;F8=2500;F9=20;F10=200;F11=480;"
            "F12=60");
    put(&u->at, "U101", credit_code("91", (unsigned)n_units));
    return u;
}

static struct unit *school(const char *expected)
{
    struct unit *u = next("unit", expected);

    puts_of(&u->at, common);
    puts_of(&u->at, visit);
    puts_of(&u->at, "U102=邹城市第四小学;U103a=小学教育;U103=8321;U104=U;"
                    "U110=1;U192=86;U192f=60;U205=110;U207=50;U209=2;U211=20;"
                    "U214=2;P1=85;P2=7650;G1=40000;G2=100;G3=9000;G4=8900;"
                    "G5=7650");
    put(&u->at, "U101", credit_code("12", (unsigned)n_units));
    return u;
}

static struct row *branch(struct unit *u, const char *cells)
{
    struct row *r = &u->branch[u->n_branches++];

    puts_of(r, "B4=370883001001;B5=5111;B6=2012-03;B7=1");
    puts_of(r, cells);
    return r;
}

/* A wholesaler with headquarters and one branch. */
static struct unit *wholesaler(const char *expected)
{
    struct unit *u = next("unit", expected);

    puts_of(&u->at, common);
    puts_of(&u->at, visit);
    puts_of(&u->at,
            "U102=邹城市兴农批发有限公司;U103a=谷物批发;U103=5111;U104=E;"
            "U110=1;U191=3;U192=20;U192f=8;U205=159;U206=3;U207=90;U209=1;"
            "U211=10;U214=1;E02=1;P1=20;P2=900;F1=9000;F2=5000;F3=4000;"
            "F4=1000;F5=400;F6=15000;F7=15000;F8=13000;F9=90;F10=700;F11=900;"
            "F12=300");
    put(&u->at, "U101", credit_code("91", (unsigned)n_units));
    branch(u, "B2=邹城市兴农批发有限公司本部;B3=1;B8=12;B9=10000");
    branch(u, "B2=邹城市兴农批发有限公司一分公司;B3=2;B8=8;B9=5000");
    return u;
}

/* The headquarters of the wholesaler before it, which shares its code. */
static struct unit *headquarters(const char *expected)
{
    const struct unit *of = &unit[n_units - 1];
    struct unit *u = next("unit", expected);
    const char *code = NULL;

    for (size_t i = 0; i < of->at.n; i++)
        if (strcmp(of->at.cell[i].name, "U101") == 0)
            code = of->at.cell[i].value;
    puts_of(&u->at, common);
    puts_of(&u->at, visit);
    puts_of(&u->at,
            "U102=邹城市兴农批发有限公司;U103a=谷物批发;U103=5111;U104=E;"
            "U110=2;U110h=1;U192=12;U192f=5;U211=10;U215n=邹城市兴农批发有限公"
            "司;U215r=370883;U216=10000;E02=1");
    put(&u->at, "U101", code);
    put(&u->at, "U215", code);
    return u;
}

static struct unit *stall(const char *expected)
{
    struct unit *u = next("self", expected);

    puts_of(&u->at, visit);
    puts_of(&u->at,
            "I102=老王面馆;I103a=面馆;I103=6210;I105=钢山街道二号;I109=1;"
            "I192=3;I192f=1;I201=王强;I202=2015-07;I208=1;I210=12;I301=240;"
            "I302=180;I303=60;I304=4;I305=45");
    put(&u->at, "I101", credit_code("92", (unsigned)n_units));
    return u;
}

/* A factory above the threshold, which reports for itself. */
static struct unit *factory(const char *expected)
{
    struct unit *u = next("direct", expected);

    puts_of(&u->at, common);
    puts_of(&u->at,
            "U102=邹城市恒发肉制品有限公司;U103a=肉制品加工;U103=1353;U104=B;"
            "U110=1;U191=3;U192=120;U192f=50;U205=159;U206=3;U207=90;U209=1;"
            "U211=10;U214=2;P1=118;P2=7000;F1=50000;F2=20000;F3=30000;"
            "F4=30000;F5=9000;F6=61000;F7=60000;F8=50000;F9=300;F10=4000;"
            "F11=7000;F12=1800;Y1=61500;Y2=310.25;Y3=900");
    put(&u->at, "U101", credit_code("91", (unsigned)n_units));
    return u;
}

/* The unit with this changed. */
static void change(struct unit *u, const char *cells)
{
    puts_of(&u->at, cells);
}

static void make_units(void)
{
    struct unit *u;

    n_units = 0;
    for (int i = 0; i < 5; i++) {
        shop("");
        school("");
        wholesaler("");
        headquarters("");
        stall("");
        factory("");
    }
    put(&shop("RU03")->at, "U101", "913708830000000193");
    put(&shop("RU01")->at, "U101", NULL);
    u = shop("RU07");
    put(&u->at, "U101", credit_code("92", 900));
    u = school("RU06");
    put(&u->at, "U101", credit_code("11", 901));
    put(&shop("RU08")->at, "U102", "12345");
    put(&shop("RU09")->at, "U102", "邹城利民");
    put(&shop("RU10")->at, "U102", "测试");
    put(&shop("RU11")->at, "U103", "9999");
    put(&shop("RU11")->at, "U103", NULL);
    change(shop("RU13 RU14 RU43"), "U103=6210");
    change(shop("RU14"), "U104=C");
    change(shop("RU15"), "U105r=370883001002");
    change(shop("RU16"), "P_outside=150");
    change(shop("RU17"), "U202=2019-02");
    change(shop("RU18"), "U202=1940-01");
    change(shop("RU19"), "U205=999");
    change(shop("RU20"), "U205=110");
    put(&shop("RU21")->at, "U208", NULL);
    change(shop("RU22"), "U208=4");
    change(shop("RU23"), "U208=3");
    change(shop("RU24"), "U209=2");
    change(shop("RU25 RU28"), "U192=2");
    change(shop("RU26 RU28"), "U192=0;U192f=0");
    change(shop("RU28"), "U191=4");
    change(shop("RU29 RU31 RU33"), "U214=1");
    change(shop("RU45"), "F1=2000");
    change(shop("RU46"), "F5=400");
    change(shop("RU48"), "P2=50");
    change(shop("RU49"), "F10=4000");
    change(shop("RU43"), "F6=6000;F7=6000");
    change(shop("RU56"), "P_away=500");
    change(shop("RU57"), "P_secret=1");
    u = wholesaler("RU31 RU33 RU34");
    u->branch[0] = u->branch[1];
    u->n_branches = 1;
    change(wholesaler("RU29"), "U214=2");
    u = wholesaler("RU35[2]");
    puts_of(&u->branch[1], "B6=2009-12");
    change(wholesaler("RU22 RU36[1] RU36[2]"), "U208=6");
    wholesaler("");
    u = headquarters("RU30");
    put(&u->at, "U215", NULL);
    put(&u->at, "U215n", NULL);
    u = stall("RI02"); /* too short: its parts are unknown and RI07 silent */
    put(&u->at, "I101", "91370883000000090");
    u = stall("RI07");
    put(&u->at, "I101", credit_code("91", 902));
    change(stall("RI25"), "I192f=4");
    change(stall("RI49 RI51"), "I301=0");
    change(stall("RI13"), "I103=5221");
    change(factory("RU52"), "Y2=0;Y3=0");
    change(factory("RU43d"), "F7=500");
    change(factory("RU12 RU14 RU28 RU43d"), "U103=0111");
}

/* ---- the first way: CSV files through puan check ---- */

static int by_text(const void *a, const void *b)
{
    const struct puan_str *x = a, *y = b;

    return puan_str_cmp(*x, *y);
}

/* "KEY: RULE RULE[row]" of a unit, or NULL when it has no finding. */
static const char *found_line(int64_t key, struct puan_str *rule, size_t n)
{
    struct puan_out o;

    if (n == 0)
        return NULL;
    qsort(rule, n, sizeof(*rule), by_text);
    puan_out_init(&o, &arena);
    puan_out_fmt(&o, "%lld:", (long long)key);
    for (size_t i = 0; i < n; i++)
        puan_out_fmt(&o, " %.*s", PUAN_FMT(rule[i]));
    return puan_arena_fmt(&arena, "%.*s", PUAN_FMT(puan_out_view(&o)));
}

static const char *planted_line(const struct unit *u)
{
    return *u->expected ? puan_arena_fmt(&arena, "%lld: %s", (long long)u->key,
                                         u->expected)
                        : NULL;
}

static void compare(const char *way, const struct unit *u, const char *got)
{
    const char *want = planted_line(u);

    if (!want)
        want = "";
    if (strcmp(want, got ? got : "") != 0)
        fail_msg("%s: unit %lld (%s)\n  planted %s\n  found   %s", way,
                 (long long)u->key, u->form, want, got ? got : "");
}

/* All names of a set of rows, each once; a header line. */
static size_t header(const char **name, const char *form, bool of_branch)
{
    size_t n = 0;

    for (size_t i = 0; i < n_units; i++) {
        const struct unit *u = &unit[i];

        if (strcmp(u->form, form) != 0)
            continue;
        for (size_t b = 0; b < (of_branch ? u->n_branches : 1); b++) {
            const struct row *r = of_branch ? &u->branch[b] : &u->at;

            for (size_t c = 0; c < r->n; c++) {
                size_t k = 0;

                while (k < n && strcmp(name[k], r->cell[c].name) != 0)
                    k++;
                if (k == n)
                    name[n++] = r->cell[c].name;
            }
        }
    }
    return n;
}

static void csv_row(struct puan_out *o, int64_t key, const struct row *r,
                    const char *const *name, size_t n)
{
    puan_out_int(o, key);
    for (size_t k = 0; k < n; k++) {
        puan_out_char(o, ',');
        for (size_t c = 0; c < r->n; c++)
            if (strcmp(r->cell[c].name, name[k]) == 0)
                puan_csv_put(o, puan_str_of(r->cell[c].value ? r->cell[c].value
                                                             : "!"));
    }
    puan_out_char(o, '\n');
}

static const char *csv_file(const char *dir, const char *form, bool of_branch)
{
    const char *name[CELLS];
    size_t n = header(name, form, of_branch);
    const char *path = puan_arena_fmt(&arena, "%s/%s", dir,
                                      of_branch ? "branch.csv" : "unit.csv");
    struct puan_out o;

    puan_out_init(&o, &arena);
    puan_out_text(&o, "household");
    for (size_t i = 0; i < n; i++)
        puan_out_fmt(&o, ",%s", name[i]);
    puan_out_char(&o, '\n');
    for (size_t i = 0; i < n_units; i++)
        if (strcmp(unit[i].form, form) == 0)
            for (size_t b = 0; b < (of_branch ? unit[i].n_branches : 1); b++)
                csv_row(&o, unit[i].key,
                        of_branch ? &unit[i].branch[b] : &unit[i].at, name, n);
    ok(puan_file_write(path, puan_out_view(&o), 0600, err));
    return path;
}

static const char *visits(const char *dir, const char *form)
{
    const char *path = puan_arena_fmt(&arena, "%s/visit.csv", dir);
    bool self = strcmp(form, "direct") == 0;
    struct puan_out o;

    puan_out_init(&o, &arena);
    puan_out_text(&o, "household,mode,started,finished,signed\n");
    for (size_t i = 0; i < n_units; i++)
        if (strcmp(unit[i].form, form) == 0)
            puan_out_fmt(&o,
                         "%lld,%s,2019-01-15T10:00:00+08:00,"
                         "2019-01-15T10:30:00+08:00,true\n",
                         (long long)unit[i].key,
                         self ? "self" : "enumerator");
    ok(puan_file_write(path, puan_out_view(&o), 0600, err));
    return path;
}

/* household,row,line,rule,severity,message -> by unit */
static void compare_findings(const char *path, const char *form)
{
    struct puan_str text, rule[32];
    struct puan_arena row;
    struct puan_csv csv;
    size_t at = 0, n = 0;
    bool more = true;
    int64_t key, line;

    puan_arena_init(&row, puan_os_alloc());
    ok(puan_file_read(&text, path, 0, &arena, err));
    ok(puan_csv_open(&csv, text, path, &arena, &row, err));
    while (more) {
        ok(puan_csv_next(&more, &csv, err));
        key = 0;
        if (more)
            assert_true(puan_int_parse(&key, csv.field[0]));
        while (at < n_units && (!more || unit[at].key < key)) {
            if (strcmp(unit[at].form, form) == 0)
                compare("check", &unit[at],
                        found_line(unit[at].key, rule, n));
            else
                assert_int_equal(n, 0);
            n = 0;
            at++;
        }
        if (!more)
            break;
        assert_true(at < n_units && unit[at].key == key && n < 32);
        assert_true(puan_int_parse(&line, csv.field[1]));
        rule[n++] = puan_str_of(
            line ? puan_arena_fmt(&arena, "%.*s[%lld]", PUAN_FMT(csv.field[3]),
                                  (long long)line)
                 : puan_arena_fmt(&arena, "%.*s", PUAN_FMT(csv.field[3])));
    }
    puan_arena_clear(&row);
}

static const struct puan_command *command(const char *name)
{
    for (size_t i = 0; i < puan_feature_check.n_commands; i++)
        if (strcmp(puan_feature_check.commands[i].name, name) == 0)
            return &puan_feature_check.commands[i];
    fail_msg("no command %s", name);
    return NULL;
}

static int quietly(const struct puan_command *c, int argc, char **argv,
                   const char *dir)
{
    int code, out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);

    fflush(stdout);
    fflush(stderr);
    assert_non_null(
        freopen(puan_arena_fmt(&arena, "%s/out", dir), "w", stdout));
    assert_non_null(
        freopen(puan_arena_fmt(&arena, "%s/err", dir), "w", stderr));
    code = c->run(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    return code;
}

static void units_through_check(void **state)
{
    static const char *const forms[] = { "unit", "self", "direct" };
    const char *root;

    (void)state;
    make_units();
    ok(puan_dir_temp(&root, &arena, err));
    for (size_t i = 0; i < PUAN_COUNT(forms); i++) {
        const char *dir = puan_arena_fmt(&arena, "%s/%s", root, forms[i]);
        const char *out = puan_arena_fmt(&arena, "%s/findings.csv", dir);
        const char *argv[16] = { "check",   "--plan", "plans/cn-economic-2018",
                                 "--form",  forms[i], "--out",
                                 out,       "--quiet" };
        int argc = 8;

        ok(puan_dir_make(dir, err));
        argv[argc++] = csv_file(dir, forms[i], false);
        if (strcmp(forms[i], "unit") == 0) /* the others have no branches */
            argv[argc++] = csv_file(dir, forms[i], true);
        argv[argc++] = visits(dir, forms[i]);
        assert_int_equal(quietly(command("check"), argc,
                                 (char **)(uintptr_t)argv, dir),
                         PUAN_EXIT_FINDINGS);
        compare_findings(out, forms[i]);
    }
    ok(puan_dir_remove(root, err));
}

/* ---- areas ---- */

/* "field field" of every line of a file of findings, in its order. */
static const char *lines_of(const char *path, size_t one, size_t two)
{
    struct puan_str text;
    struct puan_arena row;
    struct puan_csv csv;
    struct puan_out o;
    bool more = true;

    puan_out_init(&o, &arena);
    puan_arena_init(&row, puan_os_alloc());
    ok(puan_file_read(&text, path, 0, &arena, err));
    ok(puan_csv_open(&csv, text, path, &arena, &row, err));
    for (;;) {
        ok(puan_csv_next(&more, &csv, err));
        if (!more)
            break;
        puan_out_fmt(&o, "%s%.*s %.*s", o.n ? ", " : "",
                     PUAN_FMT(csv.field[one]), PUAN_FMT(csv.field[two]));
    }
    puan_arena_clear(&row);
    return puan_arena_fmt(&arena, "%.*s", PUAN_FMT(puan_out_view(&o)));
}

/*
 * 39 shops: 32 at one address, eleven of one round revenue, 13 not in
 * operation; the clearing found 42, and a second area has licences and no unit.
 */
static void areas_of_units_through_figures(void **state)
{
    static const char given[] =
        "area,figure,value\n370883001001001,licences,60\n"
        "370883001001002,licences,5\n370883,market_units,43\n"
        "370883,vat_f,100\n3708,insured,300\n";
    static const char *const sheets[][2] = {
        { "ea", "370883001001001 RU41, 370883001001001 RU53, "
                "370883001001001 RU59, 370883001001002 M40" },
        { "region", "3708 M36, 370883 M37, 370883 M38" },
    };
    const char *dir;
    struct puan_out u, c;

    (void)state;
    ok(puan_dir_temp(&dir, &arena, err));
    puan_out_init(&u, &arena);
    puan_out_init(&c, &arena);
    puan_out_text(&u, "household,U102,U103,U105,U110,U192,U203,U208,F6\n");
    puan_out_text(&c, "household,U103,L1\n");
    for (int i = 1; i <= 42; i++) {
        puan_out_fmt(&c, "%lld,5221,1\n", (long long)(EA * 1000 + i));
        if (i <= 39)
            puan_out_fmt(&u, "%lld,%02d商店,5221,%d号,1,10,0537521%04d,%d,%d\n",
                         (long long)(EA * 1000 + i), i < 39 ? i : 38,
                         i <= 32 ? 1 : i, i / 7, i > 13 ? 1 : 2,
                         i < 12 ? 1000 : i * 137);
    }
    ok(puan_file_write(puan_arena_fmt(&arena, "%s/unit.csv", dir),
                       puan_out_view(&u), 0600, err));
    ok(puan_file_write(puan_arena_fmt(&arena, "%s/clearing.csv", dir),
                       puan_out_view(&c), 0600, err));
    ok(puan_file_write(puan_arena_fmt(&arena, "%s/given.csv", dir),
                       puan_str_of(given), 0600, err));
    for (size_t i = 0; i < PUAN_COUNT(sheets); i++) {
        const char *out = puan_arena_fmt(&arena, "%s/found.csv", dir);
        const char *argv[] = {
            "figures",    "--plan",
            "plans/cn-economic-2018",
            "--sheet",    sheets[i][0],
            "--given",    puan_arena_fmt(&arena, "%s/given.csv", dir),
            "--findings", out,
            "--quiet",    puan_arena_fmt(&arena, "unit:%s/unit.csv", dir),
            puan_arena_fmt(&arena, "clearing:%s/clearing.csv", dir)
        };

        assert_int_equal(quietly(command("figures"), PUAN_COUNT(argv),
                                 (char **)(uintptr_t)argv, dir),
                         PUAN_EXIT_FINDINGS);
        assert_string_equal(lines_of(out, 1, 2), sheets[i][1]);
    }
    ok(puan_dir_remove(dir, err));
}

/* ---- several units, registers ---- */

static const char *text_file(const char *dir, const char *name,
                             const struct puan_out *o)
{
    const char *path = puan_arena_fmt(&arena, "%s/%s", dir, name);

    ok(puan_file_write(path, puan_out_view(o), 0600, err));
    return path;
}

static void put_unit(struct puan_out *o, int n, const char *code,
                     const char *name, const char *rest)
{
    puan_out_fmt(o, "%lld,%s,%s,%s\n", (long long)(EA * 1000 + n), code, name,
                 rest);
}

/*
 * Units that have to do with one another: a code used twice, a headquarters
 * whose legal unit is missing, a legal unit without the activity units it says
 * it has, one name twice, six units of one phone and head, a licence used by a
 * stall and a unit.
 */
static void units_of_one_code_through_dossiers(void **state)
{
    static const char *const dossiers[][2] = {
        { "credit", "01 02 RU38 01 02 RU44 03 03 RU32 04 RU37 14 15 RU42" },
        { "same_name", "07 08 RU39" },
        { "contact", "09 10 11 12 13 16 RU40" },
    };
    const char *dir;
    struct puan_out u, s;

    (void)state;
    ok(puan_dir_temp(&dir, &arena, err));
    puan_out_init(&u, &arena);
    puan_out_init(&s, &arena);
    puan_out_text(&u, "household,U101,U102,U110,U214,F6,U215,U110h,U203,U201,"
                      "U208\n");
    put_unit(&u, 1, credit_code("91", 1), "a1", "1,2,100,,,1,x,1");
    put_unit(&u, 2, credit_code("91", 1), "a2", "1,2,200,,,2,x,1");
    put_unit(&u, 3, credit_code("91", 3), "a3",
             puan_arena_fmt(&arena, "2,,,%s,1,3,x,1", credit_code("91", 3)));
    put_unit(&u, 4, credit_code("91", 4), "a4", "1,1,50,,,4,x,1");
    put_unit(&u, 5, credit_code("91", 5), "a5", "1,1,50,,,5,x,1");
    put_unit(&u, 6, credit_code("91", 5), "a5",
             puan_arena_fmt(&arena, "2,,,%s,1,6,x,1", credit_code("91", 5)));
    put_unit(&u, 7, credit_code("91", 7), "a7", "1,2,50,,,7,x,1");
    put_unit(&u, 8, credit_code("91", 8), "a7", "1,2,50,,,8,x,1");
    for (int n = 9; n <= 13; n++)
        put_unit(&u, n, credit_code("91", (unsigned)n),
                 puan_arena_fmt(&arena, "b%d", n), "1,2,5,,,99,y,1");
    put_unit(&u, 14, credit_code("92", 14), "c", "1,2,5,,,14,x,1");
    put_unit(&u, 16, credit_code("91", 16), "d", "1,2,5,,,99,y,1");
    puan_out_fmt(&s, "household,I101,I208\n%lld,%s,1\n",
                 (long long)(EA * 1000 + 15), credit_code("92", 14));
    (void)text_file(dir, "unit.csv", &u);
    (void)text_file(dir, "self.csv", &s);
    for (size_t i = 0; i < PUAN_COUNT(dossiers); i++) {
        const char *argv[] = {
            "figures",     "--plan",
            "plans/cn-economic-2018",
            "--dossier",   dossiers[i][0],
            "--quiet",     puan_arena_fmt(&arena, "unit:%s/unit.csv", dir),
            puan_arena_fmt(&arena, "self:%s/self.csv", dir)
        };
        struct puan_str text, line, rest, want, word;
        size_t found = 0, planted = 0;

        assert_int_equal(quietly(command("figures"), PUAN_COUNT(argv),
                                 (char **)(uintptr_t)argv, dir),
                         PUAN_EXIT_FINDINGS);
        ok(puan_file_read(&text, puan_arena_fmt(&arena, "%s/out", dir), 0,
                          &arena, err));
        rest = text;
        (void)puan_str_split(&line, &rest, '\n');
        while (puan_str_split(&line, &rest, '\n'))
            found += line.n > 0;
        /* each planted group stands as rule,severity,households */
        want = puan_str_of(dossiers[i][1]);
        line = PUAN_STR("");
        while (puan_str_split(&word, &want, ' ')) {
            const char *expected;

            if (word.p[0] >= '0' && word.p[0] <= '9') {
                line = puan_str_of(puan_arena_fmt(
                    &arena, "%.*s%s%lld%.*s", PUAN_FMT(line), line.n ? " " : "",
                    (long long)(EA * 10), PUAN_FMT(word)));
                continue;
            }
            expected = puan_arena_fmt(
                &arena, "%.*s,%s,%.*s,", PUAN_FMT(word),
                puan_str_is(word, "RU32") || puan_str_is(word, "RU38") ||
                        puan_str_is(word, "RU44")
                    ? "hard"
                    : "soft",
                PUAN_FMT(line));
            if (!memmem(text.p, text.n, expected, strlen(expected)))
                fail_msg("%s: no %s in\n%.*s", dossiers[i][0], expected,
                         PUAN_FMT(text));
            planted++;
            line = PUAN_STR("");
        }
        assert_int_equal(found, planted);
    }
    ok(puan_dir_remove(dir, err));
}

/* RU47, RU50, RU51, each at its threshold on both sides. */
static void units_against_registers(void **state)
{
    static const char *const revenue = "1000 199 200 4000 4001 1000 1000 1000 "
                                       "1000 1000 1000 1000 1000";
    static const int64_t tax[] = { 1000, 0,        0,     0,     0,
                                   100,  89,       1,     10000000,
                                   10100, 11112 };
    struct puan_out u, t, b, g;
    struct puan_str rest = puan_str_of(revenue), word;
    const char *dir, *out, *argv[14];
    int n = 0;

    (void)state;
    ok(puan_dir_temp(&dir, &arena, err));
    puan_out_init(&u, &arena);
    puan_out_init(&t, &arena);
    puan_out_init(&b, &arena);
    puan_out_init(&g, &arena);
    puan_out_text(&u, "household,U103,U192,F6\n");
    puan_out_text(&t, "household,tax_revenue\n");
    puan_out_text(&g, "division,per_person_low,per_person_high\n52,20,400\n");
    while (puan_str_split(&word, &rest, ' '))
        puan_out_fmt(&u, "%d,5221,10,%.*s\n", ++n, PUAN_FMT(word));
    for (size_t i = 0; i < PUAN_COUNT(tax); i++)
        if (tax[i])
            puan_out_fmt(&t, "%zu,%lld\n", i + 1, (long long)tax[i]);
    puan_out_text(&b, "household,revenue_before\n1,250\n6,249\n12,10000\n"
                      "13,10001\n");
    out = puan_arena_fmt(&arena, "%s/found.csv", dir);
    argv[0] = "check";
    argv[1] = text_file(dir, "unit.csv", &u);
    argv[2] = "--rules";
    argv[3] = "plans/cn-economic-2018/registers/units.rules";
    argv[4] = argv[6] = argv[8] = "--lookup";
    argv[5] = puan_arena_fmt(&arena, "tax=%s", text_file(dir, "tax.csv", &t));
    argv[7] = puan_arena_fmt(&arena, "before=%s",
                             text_file(dir, "before.csv", &b));
    argv[9] = puan_arena_fmt(&arena, "band=%s", text_file(dir, "band.csv", &g));
    argv[10] = "--out";
    argv[11] = out;
    argv[12] = "--quiet";
    assert_int_equal(
        quietly(command("check"), 13, (char **)(uintptr_t)argv, dir),
        PUAN_EXIT_FINDINGS);
    assert_string_equal(lines_of(out, 1, 3),
                        "2 RU47, 5 RU47, 6 RU50, 6 RU51, 8 RU50, 9 RU50, "
                        "10 RU50, 13 RU51");
    ok(puan_dir_remove(dir, err));
}

/* ---- the second way: documents through ingest ---- */

static void json_row(struct puan_jw *w, const struct row *r)
{
    puan_jw_map(w);
    for (size_t i = 0; i < r->n; i++) {
        puan_jw_key(w, r->cell[i].name);
        if (r->cell[i].value)
            puan_jw_str(w, puan_str_of(r->cell[i].value));
        else
            puan_jw_null(w);
    }
    puan_jw_end(w, '}');
}

static struct puan_str document(struct puan_fix *f, const struct unit *u,
                                unsigned base, const char *mode)
{
    struct puan_out o;
    struct puan_jw w;

    puan_out_init(&o, &f->a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_ktext(&w, "form", u->form);
    puan_jw_kcode(&w, "household", u->key);
    puan_jw_kint(&w, "base", base);
    puan_jw_ktext(&w, "device", "d-1");
    puan_jw_kint(&w, "counter", ++f->counter);
    puan_jw_ktext(&w, "mode", mode);
    puan_jw_ktext(&w, "started", "2019-01-15T10:00:00+08:00");
    puan_jw_ktext(&w, "finished", "2019-01-15T10:30:00+08:00");
    puan_jw_key(&w, "signed");
    puan_jw_bool(&w, true);
    puan_jw_key(&w, "answers");
    json_row(&w, &u->at);
    if (u->n_branches > 0) {
        puan_jw_key(&w, "branch");
        puan_jw_list(&w);
        for (size_t b = 0; b < u->n_branches; b++)
            json_row(&w, &u->branch[b]);
        puan_jw_end(&w, ']');
    }
    puan_jw_end(&w, '}');
    return puan_out_view(&o);
}

static struct puan_fix *open_county(const char *url)
{
    struct puan_fix *f = puan_fix_begin(url);
    struct puan_out o;

    puan_fix_create(f, "demo", "plans/cn-economic-2018", "sm");
    puan_fix_open(f);
    puan_fix_import(f, PUAN_IMPORT_AREAS,
                    "code,parent,level,name_zh,name_en\n"
                    "37,,province,山东省,Shandong\n"
                    "3708,37,prefecture,济宁市,Jining\n"
                    "370883,3708,county,邹城市,Zoucheng\n"
                    "370883001,370883,township,钢山街道,Gangshan\n"
                    "370883001001,370883001,district,兴盛,Xingsheng\n"
                    "370883001001001,370883001001,ea,第一普查小区,First\n");
    puan_out_init(&o, &f->a);
    puan_out_text(&o, "household,ea,mode\n");
    for (size_t i = 0; i < n_units; i++)
        puan_out_fmt(&o, "%lld,%lld,%s\n", (long long)unit[i].key,
                     (long long)EA,
                     strcmp(unit[i].form, "direct") == 0 ? "direct" : "");
    puan_fix_import(f, PUAN_IMPORT_LISTING,
                    puan_arena_fmt(&f->a, "%.*s", PUAN_FMT(puan_out_view(&o))));
    puan_fix_clock(f, "2019-01-15T12:00:00+08:00");
    return f;
}

static struct puan_sender sender_of(const struct unit *u)
{
    if (strcmp(u->form, "direct") == 0)
        return (struct puan_sender){ .actor = PUAN_STR("unit-statistician"),
                                     .seat = PUAN_STR("unit"),
                                     .device = PUAN_STR("d-1"),
                                     .household_account = true,
                                     .household = u->key };
    return (struct puan_sender){ .actor = PUAN_STR("enumerator-1"),
                                 .seat = PUAN_STR("enumerator"),
                                 .device = PUAN_STR("d-1"),
                                 .area = EA };
}

static const char *of_receipt(const struct unit *u, const struct puan_receipt *r)
{
    struct puan_str rule[32];
    size_t n = 0;

    for (size_t i = 0; i < r->edits.n; i++) {
        const struct puan_edit *x = &r->edits.list[i];
        const struct puan_rule_info *info = puan_ruleset_info(r->rules, x->rule);

        assert_true(n < 32);
        rule[n++] = puan_str_of(
            info->entity ? puan_arena_fmt(&arena, "%.*s[%u]",
                                          PUAN_FMT(info->id), x->row + 1)
                         : puan_arena_fmt(&arena, "%.*s", PUAN_FMT(info->id)));
    }
    return found_line(u->key, rule, n);
}

static void units_through_ingest(void **state)
{
    (void)state;
    make_units();
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = open_county(engines[e]);
        struct puan_search s;
        struct puan_act act = { .actor = PUAN_STR("tester"),
                                .verb = PUAN_STR("duplicate.search") };

        for (size_t i = 0; i < n_units; i++) {
            struct puan_sender who = sender_of(&unit[i]);
            struct puan_receipt r = puan_fix_submit(
                f, &who,
                document(f, &unit[i], 0,
                         who.household_account ? "self" : "enumerator"));

            assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
            compare("ingest", &unit[i], of_receipt(&unit[i], &r));
        }
        /* six wholesalers have handed in their headquarters too */
        ok(puan_dup_search(&s, f->st, 37, &act, err));
        assert_int_equal(s.pairs, 6);
        assert_int_equal(s.groups, 0);
        puan_fix_verify(f);
        puan_fix_end(f);
    }
}

/* RU38: two legal units of one code; and a shop counted as its headquarters. */
static void two_legal_units_of_one_code_are_found(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_act act = { .actor = PUAN_STR("tester"),
                                .verb = PUAN_STR("duplicate.search") };
        struct puan_search s;
        struct puan_fix *f;

        n_units = 0;
        shop("");
        shop("");
        wholesaler("");
        headquarters("");
        /* the second shop writes the first one's code in another way */
        put(&unit[1].at, "U101", puan_arena_fmt(&arena, " %s ",
                                                credit_code("91", 1)));
        f = open_county(engines[e]);
        for (size_t i = 0; i < n_units; i++) {
            struct puan_sender who = sender_of(&unit[i]);
            struct puan_receipt r = puan_fix_submit(
                f, &who, document(f, &unit[i], 0, "enumerator"));

            assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
        }
        ok(puan_dup_search(&s, f->st, 37, &act, err));
        assert_int_equal(s.groups, 1);
        assert_int_equal(s.pairs, 1);
        puan_fix_end(f);
    }
}

/*
 * A direct report comes from the unit's own account and from nobody else, in
 * its window; corrections too (HY-3.2.2).
 */
static void nobody_reports_for_a_direct_reporter(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_sender own, field, other;
        struct puan_receipt r;
        struct puan_err err = { 0 };
        struct puan_fix *f;
        struct unit *u;

        n_units = 0;
        u = factory("");
        factory("");
        f = open_county(engines[e]);
        own = sender_of(u);
        other = sender_of(&unit[1]);
        field = (struct puan_sender){ .actor = PUAN_STR("county-officer"),
                                      .seat = PUAN_STR("county-business"),
                                      .device = PUAN_STR("d-1"),
                                      .area = 370883 };
        /* an office may not fill in for the unit */
        assert_int_equal(puan_submit_wait(&r, f->st, &field,
                                          document(f, u, 0, "self"), &f->a,
                                          &err),
                         PUAN_EDENIED);
        err = (struct puan_err){ 0 };
        assert_int_equal(puan_submit_wait(&r, f->st, &other,
                                          document(f, u, 0, "self"), &f->a,
                                          &err),
                         PUAN_EDENIED);
        /* nor send it as its own visit */
        r = puan_fix_submit(f, &field, document(f, u, 0, "enumerator"));
        assert_int_equal(r.outcome, PUAN_SUBMIT_WINDOW);
        r = puan_fix_submit(f, &own, document(f, u, 0, "self"));
        assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
        /* nor correct it */
        change(u, "F9=301");
        err = (struct puan_err){ 0 };
        assert_int_equal(puan_submit_wait(&r, f->st, &field,
                                          document(f, u, 1, "self"), &f->a,
                                          &err),
                         PUAN_EDENIED);
        r = puan_fix_submit(f, &own, document(f, u, 1, "self"));
        assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
        assert_int_equal(r.version, 2);
        puan_fix_clock(f, "2020-06-01T00:00:00+08:00");
        r = puan_fix_submit(f, &own, document(f, u, 2, "self"));
        assert_int_equal(r.outcome, PUAN_SUBMIT_WINDOW);
        puan_fix_end(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_through_check),
        cmocka_unit_test(areas_of_units_through_figures),
        cmocka_unit_test(units_of_one_code_through_dossiers),
        cmocka_unit_test(units_against_registers),
        cmocka_unit_test(units_through_ingest),
        cmocka_unit_test(two_legal_units_of_one_code_are_found),
        cmocka_unit_test(nobody_reports_for_a_direct_reporter),
    };
    int failed;

    puan_arena_init(&arena, puan_os_alloc());
    n_engines = puan_fix_engines(engines);
    failed = cmocka_run_group_tests_name("units", tests, NULL, NULL);
    puan_arena_clear(&arena);
    return failed;
}
