/*
 * A small economic census from end to end: units made with faults, every fault
 * found by the rule that must and no rule speaking of a unit without a fault;
 * registers, areas, a campaign that takes the returns in, finds the same,
 * counts them and is corrected by the units' true answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "features/duplicates/search.h"
#include "features/host/test_fixture.h"
#include "kit/os/os.h"
#include "kit/sheet/sheet.h"

#define PLAN "plans/cn-economic-2018"

extern const struct puan_feature puan_feature_simulate, puan_feature_check,
    puan_feature_tables;

static struct puan_arena arena;
static const char *dir; /* of the simulated census */

static const char *at(const char *name)
{
    return puan_arena_fmt(&arena, "%s/%s", dir, name);
}

/* The command's exit code; its output goes to DIR/out. */
static int run(const struct puan_feature *f, const char *const *argv)
{
    int argc = 0, out = dup(STDOUT_FILENO), errors = dup(STDERR_FILENO), code;
    const struct puan_command *c = NULL;

    while (argv[argc])
        argc++;
    for (size_t i = 0; i < f->n_commands; i++)
        if (strcmp(f->commands[i].name, argv[0]) == 0)
            c = &f->commands[i];
    if (!c)
        fail_msg("no command %s", argv[0]);
    fflush(stdout);
    fflush(stderr);
    assert_non_null(freopen(at("out"), "w", stdout));
    assert_non_null(freopen(at("err"), "w", stderr));
    code = c ? c->run(argc, (char **)(uintptr_t)argv) : -1;
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    close(out);
    close(errors);
    return code;
}

static struct puan_str text_of(const char *name)
{
    struct puan_str s;

    ok(puan_file_read(&s, at(name), 0, &arena, err));
    return s;
}

/* ---- what was planted, what was found --------------------------------- */

#define MOST 4000

struct pair {
    int64_t unit;
    struct puan_str detector;
};

struct pairs {
    struct pair list[MOST];
    size_t n;
};

static struct pairs planted, found;
static struct pairs faulty; /* units with a fault, detector is its name */

static bool holds(const struct pairs *p, int64_t unit, struct puan_str detector)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].unit == unit &&
            (detector.n == 0 || puan_str_eq(p->list[i].detector, detector)))
            return true;
    return false;
}

static void add(struct pairs *p, struct puan_str unit, struct puan_str detector)
{
    assert_true(p->n < MOST);
    assert_true(puan_int_parse(&p->list[p->n].unit, unit));
    p->list[p->n++].detector = puan_arena_keep(&arena, detector);
}

static void each_row(const char *path, const char *a, const char *b,
                     void (*take)(struct puan_str, struct puan_str))
{
    struct puan_sheet *s;
    bool more;
    int x, y;

    ok(puan_sheet_open(&s, path, err));
    ok(puan_sheet_need(&x, s, a, err));
    ok(puan_sheet_need(&y, s, b, err));
    for (;;) {
        ok(puan_sheet_next(&more, s, err));
        if (!more)
            break;
        take(puan_sheet_row(s)->field[x], puan_sheet_row(s)->field[y]);
    }
    puan_sheet_close(s);
}

static void take_truth(struct puan_str unit, struct puan_str list)
{
    struct puan_str one;

    add(&faulty, unit, list);
    while (puan_str_split(&one, &list, '+'))
        if (one.n > 0 && !puan_str_is(one, "none"))
            add(&planted, unit, one);
}

static void take_finding(struct puan_str unit, struct puan_str rule)
{
    add(&found, unit, rule);
}

/* Every planted one of the detectors whose name begins so was found. */
static void all_found(const char *begins)
{
    size_t n = 0;

    for (size_t i = 0; i < planted.n; i++) {
        const struct pair *p = &planted.list[i];

        if (!puan_str_starts(p->detector, begins))
            continue;
        if (!holds(&found, p->unit, p->detector))
            fail_msg("unit %lld: %.*s did not fire", (long long)p->unit,
                     PUAN_FMT(p->detector));
        n++;
    }
    assert_true(n > 0);
}

/* Findings over a plain file name its rows. */
static struct puan_str row_unit[MOST];
static size_t n_rows;

static void take_row(struct puan_str unit, struct puan_str unused)
{
    (void)unused;
    assert_true(n_rows < MOST);
    row_unit[n_rows++] = puan_arena_keep(&arena, unit);
}

static void take_of_row(struct puan_str row, struct puan_str rule)
{
    int64_t n;

    assert_true(puan_int_parse(&n, row) && n >= 1 && (size_t)n <= n_rows);
    add(&found, row_unit[n - 1], rule);
}

static int make(void **state)
{
    const char *argv[] = { "simulate", "--plan", PLAN,     "--area",
                           "370883",   "--scale", "0.1",   "--seed",
                           "7",        "--out",   dir,     NULL };

    (void)state;
    puan_arena_init(&arena, puan_os_alloc());
    ok(puan_dir_temp(&dir, &arena, err));
    argv[10] = dir;
    return run(&puan_feature_simulate, argv) == PUAN_EXIT_DONE ? 0 : -1;
}

static int unmake(void **state)
{
    (void)state;
    ok(puan_dir_remove(dir, err));
    puan_arena_clear(&arena);
    return 0;
}

/* ---- the same seed ---------------------------------------------------- */

static void the_same_seed_gives_the_same_bytes(void **state)
{
    const char *other = at("again");
    const char *argv[] = { "simulate", "--plan", PLAN,  "--area",
                           "370883",   "--scale", "0.1", "--seed",
                           "7",        "--out",   other, NULL };
    static const char *const name[] = { "truth.csv", "returns.jsonl",
                                        "given.csv", "areas.csv", "tax.csv" };

    (void)state;
    assert_int_equal(run(&puan_feature_simulate, argv), PUAN_EXIT_DONE);
    for (size_t i = 0; i < PUAN_COUNT(name); i++)
        assert_true(puan_str_eq(
            text_of(name[i]),
            text_of(puan_arena_fmt(&arena, "again/%s", name[i]))));
    argv[8] = "8";
    assert_int_equal(run(&puan_feature_simulate, argv), PUAN_EXIT_DONE);
    assert_false(
        puan_str_eq(text_of("returns.jsonl"), text_of("again/returns.jsonl")));
}

/* ---- files ------------------------------------------------------------ */

static void every_fault_is_found_and_nothing_else(void **state)
{
    static const char *const form[] = { "unit", "direct", "self", "clearing" };
    size_t clean = 0;

    (void)state;
    each_row(at("truth.csv"), "household", "detectable", take_truth);
    assert_true(faulty.n >= 30);
    for (size_t i = 0; i < PUAN_COUNT(form); i++) {
        const char *out = at(puan_arena_fmt(&arena, "found_%s.csv", form[i]));
        const char *argv[16] = { "check", "--plan", PLAN,  "--form", form[i],
                                 "--out", out,      "--quiet" };
        size_t n = 8;

        argv[n++] = at(puan_arena_fmt(&arena, "returns/%s/unit.csv", form[i]));
        if (strcmp(form[i], "unit") == 0)
            argv[n++] = at("returns/unit/branch.csv");
        if (strcmp(form[i], "clearing") != 0)
            argv[n++] =
                at(puan_arena_fmt(&arena, "returns/%s/visit.csv", form[i]));
        assert_int_equal(run(&puan_feature_check, argv),
                         strcmp(form[i], "clearing") == 0
                             ? PUAN_EXIT_DONE
                             : PUAN_EXIT_FINDINGS);
        each_row(out, "household", "rule", take_finding);
    }
    for (size_t i = 0; i < found.n; i++)
        if (!holds(&faulty, found.list[i].unit, (struct puan_str){ 0 })) {
            print_error("unit %lld: %.*s\n", (long long)found.list[i].unit,
                        PUAN_FMT(found.list[i].detector));
            clean++;
        }
    assert_int_equal(clean, 0);
}

/*
 * RU47, RU50 and RU51 against registers; the band of RU47 is the 1st and 99th
 * percentile of the division, counted by puan table out of the same file.
 */
static void registers_and_bands_are_held_against_returns(void **state)
{
    const char *form[] = { "unit", "direct" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const char *data =
            at(puan_arena_fmt(&arena, "returns/%s/unit.csv", form[i]));
        const char *rules = PLAN "/registers/units.rules";
        const char *band[] = { "table",       data,    "--missing", "!",
                               "--programme", PLAN "/programmes/bands.yaml",
                               "--quiet",     NULL };
        const char *check[] = { "check",
                                data,
                                "--missing",
                                "!",
                                "--rules",
                                rules,
                                "--lookup",
                                puan_arena_fmt(&arena, "tax=%s", at("tax.csv")),
                                "--lookup",
                                puan_arena_fmt(&arena, "before=%s",
                                               at("before.csv")),
                                "--lookup",
                                puan_arena_fmt(&arena, "band=%s",
                                               at("band.csv")),
                                "--out",
                                at("found_registers.csv"),
                                "--quiet",
                                NULL };
        struct puan_str t;

        if (run(&puan_feature_tables, band) != PUAN_EXIT_DONE)
            fail_msg("%.*s", PUAN_FMT(text_of("err")));
        t = text_of("out");
        ok(puan_file_write(at("band.csv"), t, 0600, err));
        if (run(&puan_feature_check, check) != PUAN_EXIT_FINDINGS)
            fail_msg("%.*s", PUAN_FMT(text_of("err")));
        n_rows = 0;
        each_row(data, "household", "U101", take_row);
        each_row(at("found_registers.csv"), "row", "rule", take_of_row);
    }
    all_found("RU");
    all_found("RI");
}

/* ---- a campaign --------------------------------------------------------- */

static struct puan_sender sender_of(struct puan_str doc)
{
    struct puan_node *n;
    int64_t key = 0;
    struct puan_str form;

    ok(puan_json_tree(&n, doc, "document", &arena, err));
    form = puan_node_str_opt(n, "form", "");
    assert_true(puan_int_parse(&key, puan_node_str_opt(n, "household", "")));
    if (puan_str_is(form, "direct"))
        return (struct puan_sender){ .actor = PUAN_STR("unit-statistician"),
                                     .seat = PUAN_STR("unit"),
                                     .device = puan_node_str_opt(n, "device",
                                                                 ""),
                                     .household_account = true,
                                     .household = key };
    return (struct puan_sender){ .actor = PUAN_STR("enumerator-1"),
                                 .seat = PUAN_STR("enumerator"),
                                 .device = puan_node_str_opt(n, "device", ""),
                                 .area = key / 1000 };
}

/* All documents of a file; the number of hard findings that stay open. */
static size_t submit(struct puan_fix *f, const char *name, size_t *n)
{
    struct puan_str text = text_of(name), line;
    size_t hard = 0;

    for (*n = 0; puan_str_split(&line, &text, '\n') && line.n > 0; ++*n) {
        struct puan_sender who = sender_of(line);
        struct puan_receipt r = puan_fix_submit(f, &who, line);

        if (r.outcome != PUAN_SUBMIT_ACCEPTED)
            fail_msg("outcome %d of %.*s", (int)r.outcome, PUAN_FMT(line));
        for (size_t i = 0; i < r.edits.n; i++)
            hard += puan_ruleset_info(r.rules, r.edits.list[i].rule)
                        ->severity == PUAN_HARD;
    }
    return hard;
}

static const char *whole(const char *name)
{
    return puan_arena_fmt(&arena, "%.*s", PUAN_FMT(text_of(name)));
}

/* The number in a CSV's last column of the row that begins so. */
static int64_t cell_of(struct puan_str csv, const char *begins)
{
    struct puan_str line;
    int64_t v = -1;

    while (puan_str_split(&line, &csv, '\n'))
        if (puan_str_starts(line, begins)) {
            size_t at_ = line.n;

            while (at_ > 0 && line.p[at_ - 1] != ',')
                at_--;
            assert_true(puan_int_parse(
                &v, (struct puan_str){ line.p + at_, line.n - at_ }));
        }
    return v;
}

/*
 * The returns go in, the same hard findings come out as over files; codes used
 * twice are found; registers, sections of the industry and figures of areas
 * work on the campaign; the units' true answers close every hard finding.
 */
static void a_census_of_units_is_played(void **state)
{
    struct puan_fix *f = puan_fix_begin(NULL);
    struct puan_act act = { .actor = PUAN_STR("tester"),
                            .verb = PUAN_STR("duplicate.search") };
    struct puan_search s;
    size_t n, again;
    int64_t total, sections = 0;
    struct puan_str t, line;

    (void)state;
    puan_fix_create(f, "demo", PLAN, "sm");
    puan_fix_open(f);
    puan_fix_import(f, PUAN_IMPORT_AREAS, whole("areas.csv"));
    puan_fix_import(f, PUAN_IMPORT_LISTING, whole("listing.csv"));
    puan_fix_clock(f, "2019-03-05T12:00:00+08:00");
    assert_true(submit(f, "returns.jsonl", &n) > 10);
    assert_true(n > 1000);
    ok(puan_dup_search(&s, f->st, 37, &act, err));
    assert_int_equal(s.groups, 1); /* RU38 as planted */
    assert_true(s.pairs >= 10);    /* legal units and their headquarters */
    {
        const char *band[] = { "table",       f->dir,
                               "--programme", PLAN
                               "/programmes/bands-campaign.yaml",
                               "--quiet",     NULL };
        const char *check[] = { "check",
                                f->dir,
                                "--form",
                                "unit",
                                "--rules",
                                PLAN "/registers/campaign.rules",
                                "--lookup",
                                puan_arena_fmt(&arena, "tax=%s", at("tax.csv")),
                                "--lookup",
                                puan_arena_fmt(&arena, "before=%s",
                                               at("before.csv")),
                                "--lookup",
                                puan_arena_fmt(&arena, "band=%s",
                                               at("band.csv")),
                                "--out",
                                at("found_campaign.csv"),
                                "--quiet",
                                NULL };
        const char *table[] = { "table",   f->dir,  "--of",
                                "unit",    "--class", "U103=" PLAN ":industry",
                                "--by",    "industry_section", "--where",
                                "U110 = 1", "--totals", "--quiet", NULL };
        const char *figures[] = { "figures", "--sheet", "region",
                                  "--given", at("given.csv"), "--json",
                                  f->dir,    NULL };

        if (run(&puan_feature_tables, band) != PUAN_EXIT_DONE)
            fail_msg("%.*s", PUAN_FMT(text_of("err")));
        ok(puan_file_write(at("band.csv"), text_of("out"), 0600, err));
        if (run(&puan_feature_check, check) != PUAN_EXIT_FINDINGS)
            fail_msg("%.*s", PUAN_FMT(text_of("err")));
        t = text_of("found_campaign.csv");
        assert_non_null(memmem(t.p, t.n, "RU50", 4));
        if (run(&puan_feature_tables, table) != PUAN_EXIT_DONE)
            fail_msg("%.*s", PUAN_FMT(text_of("err")));
        t = text_of("out");
        total = cell_of(t, "_T,");
        for (line = t; puan_str_split(&line, &t, '\n');)
            if (line.n > 2 && line.p[1] == ',' && line.p[0] >= 'A' &&
                line.p[0] <= 'T')
                sections += cell_of(line, "");
        assert_true(total > 800);
        assert_int_equal(sections + (cell_of(text_of("out"), "_U,") > 0
                                         ? cell_of(text_of("out"), "_U,")
                                         : 0),
                         total);
        assert_true(cell_of(text_of("out"), "F,") >
                    cell_of(text_of("out"), "H,"));
        if (run(&puan_feature_check, figures) != PUAN_EXIT_FINDINGS)
            fail_msg("%.*s", PUAN_FMT(text_of("err")));
        t = text_of("out"); /* one unit with more than half of a section */
        assert_non_null(memmem(t.p, t.n, "M39", 3));
        assert_null(memmem(t.p, t.n, "RU54", 4));
    }
    assert_int_equal(submit(f, "returns_true.jsonl", &again), 0);
    assert_int_equal(again, faulty.n);
    puan_fix_verify(f);
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bytes),
        cmocka_unit_test(every_fault_is_found_and_nothing_else),
        cmocka_unit_test(registers_and_bands_are_held_against_returns),
        cmocka_unit_test(a_census_of_units_is_played),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
