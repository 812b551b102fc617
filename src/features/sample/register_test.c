/*
 * The register of samples of a campaign: draws that anyone redoes from what it
 * gives out, what was found in the units drawn, and estimates that are those of
 * the same numbers as plain files.
 */
#include "features/host/test_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan/plan.h"
#include "features/sample/register.h"
#include "features/sample/sample.h"
#include "kit/os/os.h"

static const char plan_yaml[] =
    "plan: zz-draws\nversion: 1\nscope: campaign\nzh: 试\nen: Trial\n"
    "offset_minutes: 0\nreference_month: 2020-11\n"
    "reference_moment: 2020-11-01T00:00:00+00:00\n"
    "household_digits: 3\nshard_level: county\n"
    "levels:\n"
    "  - {id: nation, zh: 国, en: Nation, digits: 1}\n"
    "  - {id: county, zh: 县, en: County, digits: 3}\n"
    "  - {id: ea, zh: 小区, en: Area, digits: 5}\n"
    "roles:\n"
    "  statistician: {zh: 统计员, en: Statistician, levels: [nation, county],"
    " can: [sample.view, sample.draw, sample.results, evaluation.view]}\n"
    "  clerk: {zh: 文书, en: Clerk, levels: [county], can: [listing.view]}\n"
    "settings:\n"
    "  listing_not_due: {value: vacant, zh: 空, en: Vacant}\n"
    "forms: [mini]\n"
    "windows:\n"
    "  w: {zh: 登记, en: Count, from: 2020-01-01, until: 2099-01-01,"
    " forms: [mini]}\n";
static const char form_yaml[] =
    "form: mini\nversion: 1\nzh: 表\nen: Form\n"
    "entities:\n"
    "  household:\n    zh: 户\n    en: Household\n    items:\n"
    "      n: {type: int, min: 0, max: 99, zh: 数, en: Number}\n"
    "      head: {type: name, zh: 户主, en: Head}\n";

#define EAS 12

/* Households of an enumeration area: 10 to 21. */
static int homes(int county, int ea)
{
    return 10 + (ea * 5 + county) % 12;
}

static void list(struct puan_fix *f)
{
    struct puan_out areas, roll;

    puan_out_init(&areas, &f->a);
    puan_out_init(&roll, &f->a);
    puan_out_text(&areas, "code,parent,level,name_zh,name_en\n1,,nation,a,A\n"
                          "111,1,county,b,B\n112,1,county,c,C\n");
    puan_out_text(&roll, "household,ea,status\n");
    for (int c = 111; c <= 112; c++)
        for (int e = 1; e <= EAS; e++) {
            puan_out_fmt(&areas, "%d%02d,%d,ea,e,E\n", c, e, c);
            for (int h = 1; h <= homes(c, e); h++)
                puan_out_fmt(&roll, "%d%02d%03d,%d%02d,%s\n", c, e, h, c, e,
                             h == 7 ? "vacant" : "");
        }
    puan_fix_import(f, PUAN_IMPORT_AREAS,
                    puan_arena_dup(&f->a, puan_out_view(&areas)));
    puan_fix_import(f, PUAN_IMPORT_LISTING,
                    puan_arena_dup(&f->a, puan_out_view(&roll)));
}

static struct puan_fix *make(void)
{
    struct puan_fix *f = puan_fix_begin(NULL);
    const char *pack = puan_arena_fmt(&f->a, "%s/zz-draws", f->root);

    ok(puan_dir_make(puan_arena_fmt(&f->a, "%s/forms", pack), err));
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/plan.yaml", pack),
                       puan_str_of(plan_yaml), 0644, err));
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/forms/mini.yaml", pack),
                       puan_str_of(form_yaml), 0644, err));
    puan_fix_create(f, "demo", pack, "sm");
    puan_fix_open(f);
    list(f);
    puan_fix_close(f);
    return f;
}

/* ---- commands ------------------------------------------------------------ */

/* It ends with `code`, or what it said is shown. */
static void ends(struct puan_fix *f, int (*command)(int, char **),
                 const char *line, int code)
{
    int got = puan_fix_run(f, command, line);

    if (got != code)
        fail_msg("%s: %d instead of %d: %s", line, got, code, puan_fix_file(f, "said"));
}

static void says(struct puan_fix *f, const char *text)
{
    if (!strstr(puan_fix_file(f, "said"), text))
        fail_msg("said not \"%s\" but: %s", text, puan_fix_file(f, "said"));
}

static void write_file(struct puan_fix *f, const char *name, struct puan_str s)
{
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/%s", f->root, name), s, 0644,
                       err));
}

static unsigned lines(const char *s)
{
    unsigned n = 0;

    for (; *s; s++)
        n += *s == '\n';
    return n;
}

/* The number in the field of the line of --csv output that begins so. */
static double field(const char *said, const char *line, unsigned column)
{
    const char *p = strstr(said, line);

    if (!p)
        fail_msg("no line %s in %s", line, said);
    while (p && column--) {
        p = strchr(p, ',');
        assert_non_null(p);
        p++;
    }
    return strtod(p, NULL);
}

/* ---- draws --------------------------------------------------------------- */

static void anybody_redoes_a_draw_of_the_register(void **state)
{
    static const char *const draws[] = {
        "draw DIR --purpose long-form --seed s1 --rate 0.1 --strata county",
        "draw DIR --purpose post-enumeration --seed s2 --unit ea --strata "
        "county --draw pps --size household --take-each 4",
        "draw DIR --purpose inspection --area 112 --seed s3 --unit ea --draw "
        "simple --take 5 --within household --then-take 3",
    };
    struct puan_fix *f = make();

    (void)state;
    for (unsigned i = 0; i < PUAN_COUNT(draws); i++) {
        char id[160];

        ends(f, puan_sample_draw, draws[i], PUAN_EXIT_DONE);
        says(f, "frame");
        puan_format(id, sizeof(id), "verify DIR %u", i + 1);
        ends(f, puan_sample_verify, id, PUAN_EXIT_DONE);
        /* without the campaign: the record and the CSV are enough */
        puan_format(id, sizeof(id),
                    "export DIR %u --frame TMP/frame.csv --record "
                    "TMP/record.json -o TMP/drawn.csv",
                    i + 1);
        ends(f, puan_register_export, id, PUAN_EXIT_DONE);
        assert_null(strstr(puan_fix_file(f, "frame.csv"), "11101007\n")); /* vacant */
        ends(f, puan_sample_verify, "verify TMP/record.json TMP/frame.csv",
             PUAN_EXIT_DONE);
    }
    assert_int_equal(lines(puan_fix_file(f, "drawn.csv")), 16);
    ends(f, puan_register_list, "list DIR", PUAN_EXIT_DONE);
    assert_int_equal(lines(puan_fix_file(f, "said")), 3);
    /* three acts, each covered by its entry */
    puan_fix_verify(f);
    puan_fix_end(f);
}

static enum puan_status tamper(struct puan_shard *sh, struct puan_db *db,
                               struct puan_act *act, void *arg,
                               struct puan_err *err)
{
    (void)sh;
    (void)act;
    (void)arg;
    return puan_db_exec(
        db, "UPDATE sample SET drawn = CAST(drawn || 'x' AS BLOB);", err);
}

static void
a_roll_that_changes_is_told_and_a_changed_list_is_found(void **state)
{
    struct puan_act act = { .actor = PUAN_STR("x"), .verb = PUAN_STR("x") };
    struct puan_fix *f = make();

    (void)state;
    ends(f, puan_sample_draw,
         "draw DIR --purpose long-form --seed s --rate 0.1", PUAN_EXIT_DONE);
    puan_fix_reopen(f);
    puan_fix_import(f, PUAN_IMPORT_LISTING,
                    "household,ea,status\n11101900,11101,\n11212900,11212,\n");
    puan_fix_close(f);
    ends(f, puan_sample_verify, "verify DIR 1 --json", PUAN_EXIT_DONE);
    says(f, "{\"frame\":true,\"selection\":true,\"kept\":true,");
    says(f, "\"added\":2,\"gone\":0}");
    /* somebody puts another household on the list */
    puan_fix_reopen(f);
    ok(puan_commit(puan_store_office(f->st), &act, tamper, NULL, err));
    puan_fix_close(f);
    ends(f, puan_sample_verify, "verify DIR 1", PUAN_EXIT_FINDINGS);
    says(f, "list kept: 与记录不一致 NOT as recorded");
    puan_fix_end(f);
}

static void what_is_not_of_the_roll_is_refused(void **state)
{
    struct puan_fix *f = make();
    const struct {
        const char *line, *said;
        int code;
    } bad[] = {
        { "draw DIR --seed s --rate 0.1", "--purpose", PUAN_EXIT_USAGE },
        { "draw DIR --purpose party --seed s --rate 0.1", "post-enumeration",
          PUAN_EXIT_INPUT },
        { "draw DIR --purpose inspection --seed s --rate 0.1 --area 999",
          "no area 999", PUAN_EXIT_INPUT },
        { "draw DIR --purpose inspection --seed s --take 3 --level a=b",
          "levels of the plan", PUAN_EXIT_INPUT },
        { "draw DIR --purpose inspection --seed s --take 3 --unit village",
          "no entity", PUAN_EXIT_INPUT },
        { "draw DIR --purpose inspection --take 3", "--seed", PUAN_EXIT_USAGE },
        { "draw TMP/frame.csv --purpose inspection --seed s --take 3",
          "campaign directory", PUAN_EXIT_USAGE },
    };

    (void)state;
    write_file(f, "frame.csv", PUAN_STR("a\n1\n"));
    for (unsigned i = 0; i < PUAN_COUNT(bad); i++) {
        ends(f, puan_sample_draw, bad[i].line, bad[i].code);
        says(f, bad[i].said);
    }
    ends(f, puan_sample_verify, "verify DIR 1", PUAN_EXIT_INPUT);
    says(f, "no draw 1");
    puan_fix_end(f);
}

/* ---- what was found ------------------------------------------------------ */

static void results_are_of_units_drawn_and_name_nobody(void **state)
{
    struct puan_fix *f = make();
    const struct {
        const char *csv, *said;
    } bad[] = {
        { "ea,result\n11101,matched\n11199,missed\n", "bad.csv:3:1" },
        { "ea,result,head\n", "holds identities" },
        { "ea,result,phone\n", "holds identities" },
        { "ea,sample\n", "no column result" },
        { "result\n", "no column household or ea" },
        { "ea,result\n11101,\n", "bad.csv:2:2: result of a person" },
        { "ea,sample,result\n11101,E,matched\n", "result of a census record" },
        { "ea,mover,result\n11101,gone,matched\n", "bad.csv:2:2: mover is" },
        { "ea,result\n", "has no row" },
        { "ea,result\n11101\n", "bad.csv:2" },
    };

    (void)state;
    ends(f, puan_sample_draw,
         "draw DIR --purpose post-enumeration --seed s --area "
         "111 --unit ea --draw simple --take 12",
         PUAN_EXIT_DONE);
    for (unsigned i = 0; i < PUAN_COUNT(bad); i++) {
        write_file(f, "bad.csv", puan_str_of(bad[i].csv));
        ends(f, puan_register_load, "results DIR 1 TMP/bad.csv",
             PUAN_EXIT_INPUT);
        says(f, bad[i].said);
    }
    ends(f, puan_sample_estimate, "estimate DIR 1 --mean x", PUAN_EXIT_INPUT);
    says(f, "nothing observed");
    write_file(f, "good.csv", PUAN_STR("household,result\n11101003,matched\n"));
    ends(f, puan_register_load, "results DIR 1 TMP/good.csv", PUAN_EXIT_DONE);
    puan_fix_verify(f);
    puan_fix_end(f);
}

/* Persons of a household, and how many of them work: made up, but fixed. */
static int persons(int64_t household)
{
    return 1 + (int)(household * 7919 % 5);
}

static void estimates_are_those_of_the_same_numbers_in_files(void **state)
{
    struct puan_fix *f = make();
    struct puan_out seen, joined;
    const char *drawn, *from_register, *from_file;
    double truth = 0;

    (void)state;
    ends(f, puan_sample_draw,
         "draw DIR --purpose long-form --seed s --rate 0.4 "
         "--strata county -o TMP/drawn.csv",
         PUAN_EXIT_DONE);
    puan_out_init(&seen, &f->a);
    puan_out_init(&joined, &f->a);
    puan_out_text(&seen, "household,persons,kind\n");
    puan_out_text(&joined, "stratum,row,weight,stratum_units,persons,kind\n");
    drawn = puan_fix_file(f, "drawn.csv");
    assert_non_null(strstr(
        drawn,
        "stratum,row,nation,county,ea,household,weight,p,stratum_units"));
    for (const char *p = strchr(drawn, '\n') + 1; *p; p = strchr(p, '\n') + 1) {
        int stratum, row, county, ea, home, nation, units;
        double weight, share;
        char text[40];

        assert_int_equal(sscanf(p, "%d,%d,%d,%d,%d,%d,%lf,%lf,%d", &stratum,
                                &row, &nation, &county, &ea, &home, &weight,
                                &share, &units),
                         9);
        puan_out_fmt(&seen, "%d,%d,%s\n", home, persons(home),
                     home % 3 ? "own" : "let");
        snprintf(text, sizeof(text), "%.17g", weight);
        puan_out_fmt(&joined, "%d,%d,%s,%d,%d,%s\n", stratum, row, text, units,
                     persons(home), home % 3 ? "own" : "let");
    }
    write_file(f, "seen.csv", puan_out_view(&seen));
    write_file(f, "joined.csv", puan_out_view(&joined));
    ends(f, puan_register_load, "results DIR 1 TMP/seen.csv", PUAN_EXIT_DONE);
    ends(f, puan_sample_estimate,
         "estimate DIR 1 --total persons --mean persons "
         "--share kind --csv",
         PUAN_EXIT_DONE);
    from_register = puan_fix_file(f, "said");
    ends(f, puan_sample_estimate,
         "estimate TMP/joined.csv --weight weight --strata stratum "
         "--stratum-units stratum_units --total persons --mean persons "
         "--share kind --csv",
         PUAN_EXIT_DONE);
    from_file = puan_fix_file(f, "said");
    for (unsigned i = 4; i <= 8; i++) {
        assert_true(fabs(field(from_register, "total,persons,", i) -
                         field(from_file, "total,persons,", i)) < 1e-6);
        assert_true(fabs(field(from_register, "share,kind=let,", i) -
                         field(from_file, "share,kind=let,", i)) < 1e-9);
    }
    /* and they are near what is so */
    for (int c = 111; c <= 112; c++)
        for (int e = 1; e <= EAS; e++)
            for (int h = 1; h <= homes(c, e); h++)
                truth += h == 7 ? 0 : persons((c * 100 + e) * 1000 + h);
    assert_true(fabs(field(from_register, "total,persons,", 4) - truth) <
                4 * field(from_register, "total,persons,", 5));
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anybody_redoes_a_draw_of_the_register),
        cmocka_unit_test(
            a_roll_that_changes_is_told_and_a_changed_list_is_found),
        cmocka_unit_test(what_is_not_of_the_roll_is_refused),
        cmocka_unit_test(results_are_of_units_drawn_and_name_nobody),
        cmocka_unit_test(estimates_are_those_of_the_same_numbers_in_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
