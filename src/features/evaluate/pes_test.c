/*
 * The post-enumeration survey of a campaign from end to end: enumeration areas
 * drawn by the register, matching results loaded, coverage by strata against
 * the campaign's own counts; and that it is what the command says of the same
 * numbers as plain files.  (Published estimates: evaluate_test.c.)
 */
#include "features/host/test_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan/plan.h"
#include "features/evaluate/evaluate.h"
#include "features/sample/sample.h"
#include "kit/os/os.h"

static const char plan_yaml[] =
    "plan: zz-pes\nversion: 1\nscope: campaign\nzh: 试\nen: Trial\n"
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
    "  clerk: {zh: 文书, en: Clerk, levels: [nation, county],"
    " can: [listing.view, sample.view]}\n"
    "forms: [mini]\n"
    "windows:\n"
    "  w: {zh: 登记, en: Count, from: 2020-01-01, until: 2099-01-01,"
    " forms: [mini]}\n"
    "residence:\n"
    "  entity: person\n"
    "  cases:\n"
    "    - {case: 1, zh: 一, en: one, when: \"age >= 1\","
    " de_facto: true, registered: true, resident: true}\n"
    "    - {case: 2, zh: 二, en: two, when: \"age < 1\","
    " de_facto: true, registered: false, resident: false}\n";
static const char form_yaml[] =
    "form: mini\nversion: 1\nzh: 表\nen: Form\n"
    "codes:\n  sex: {1: {zh: 男, en: male}, 2: {zh: 女, en: female}}\n"
    "entities:\n"
    "  household:\n    zh: 户\n    en: Household\n    items:\n"
    "      n: {type: int, min: 0, max: 99, zh: 数, en: Number}\n"
    "  person:\n    zh: 人\n    en: Person\n    rows: 20\n    items:\n"
    "      sex: {type: code, codes: sex, zh: 性, en: Sex}\n"
    "      age: {type: int, min: 0, max: 150, zh: 龄, en: Age}\n";

#define EAS 6

static int homes(int county, int ea)
{
    return 3 + (ea * 5 + county) % 4;
}

/* Residents of a household, and one infant in some that is none. */
static int residents(int64_t home)
{
    return 1 + (int)(home * 7919 % 4);
}
static bool infant(int64_t home)
{
    return home % 5 == 0;
}

static void answer(struct puan_fix *f, int64_t home, int ea)
{
    struct puan_sender who = { .actor = PUAN_STR("enum-1"),
                               .seat = PUAN_STR("enumerator"),
                               .device = PUAN_STR("d-1"),
                               .area = ea };
    struct puan_receipt r;
    struct puan_out o;

    puan_out_init(&o, &f->a);
    puan_out_fmt(&o,
                 "{\"form\":\"mini\",\"household\":\"%lld\",\"base\":0,"
                 "\"device\":\"d-1\",\"counter\":%u,\"mode\":\"enumerator\","
                 "\"started\":\"2021-04-02T10:00:00+00:00\","
                 "\"finished\":\"2021-04-02T10:10:00+00:00\",\"signed\":true,"
                 "\"answers\":{\"n\":%d},\"person\":[",
                 (long long)home, ++f->counter, residents(home));
    for (int i = 0; i < residents(home); i++)
        puan_out_fmt(&o, "%s{\"sex\":%d,\"age\":%d}", i ? "," : "", 1 + i % 2,
                     20 + i);
    if (infant(home))
        puan_out_text(&o, ",{\"sex\":1,\"age\":0}");
    puan_out_text(&o, "]}");
    r = puan_fix_submit(f, &who, puan_out_view(&o));
    assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
}

/* Two counties, their roll, and a return of every household. */
static struct puan_fix *make(int64_t persons[2])
{
    struct puan_fix *f = puan_fix_begin(NULL);
    const char *pack = puan_arena_fmt(&f->a, "%s/zz-pes", f->root);
    struct puan_out areas, roll;

    ok(puan_dir_make(puan_arena_fmt(&f->a, "%s/forms", pack), err));
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/plan.yaml", pack),
                       puan_str_of(plan_yaml), 0644, err));
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/forms/mini.yaml", pack),
                       puan_str_of(form_yaml), 0644, err));
    puan_fix_create(f, "demo", pack, "sm");
    puan_fix_open(f);
    puan_out_init(&areas, &f->a);
    puan_out_init(&roll, &f->a);
    puan_out_text(&areas, "code,parent,level,name_zh,name_en\n1,,nation,a,A\n"
                          "111,1,county,b,B\n112,1,county,c,C\n");
    puan_out_text(&roll, "household,ea\n");
    for (int c = 111; c <= 112; c++)
        for (int e = 1; e <= EAS; e++) {
            puan_out_fmt(&areas, "%d%02d,%d,ea,e,E\n", c, e, c);
            for (int h = 1; h <= homes(c, e); h++)
                puan_out_fmt(&roll, "%d%02d%03d,%d%02d\n", c, e, h, c, e);
        }
    puan_fix_import(f, PUAN_IMPORT_AREAS,
                    puan_arena_dup(&f->a, puan_out_view(&areas)));
    puan_fix_import(f, PUAN_IMPORT_LISTING,
                    puan_arena_dup(&f->a, puan_out_view(&roll)));
    puan_fix_clock(f, "2021-04-02T12:00:00+00:00");
    persons[0] = persons[1] = 0;
    for (int c = 111; c <= 112; c++)
        for (int e = 1; e <= EAS; e++)
            for (int h = 1; h <= homes(c, e); h++) {
                int64_t home = (c * 100 + e) * 1000 + h;

                answer(f, home, c * 100 + e);
                persons[c - 111] += residents(home);
            }
    puan_fix_close(f);
    return f;
}

/* ---- commands ------------------------------------------------------------ */

static void write_file(struct puan_fix *f, const char *name, struct puan_str s)
{
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/%s", f->root, name), s, 0644,
                       err));
}

/* A command with words apart by blanks, DIR and TMP put in. */
static void ends(struct puan_fix *f, const struct puan_feature *feature,
                 const char *name, const char *line, int code)
{
    int (*command)(int, char **) = NULL;
    int got;

    for (size_t i = 0; i < feature->n_commands; i++)
        if (strcmp(feature->commands[i].name, name) == 0)
            command = feature->commands[i].run;
    assert_non_null(command);
    got = puan_fix_run(f, command, puan_arena_fmt(&f->a, "x %s", line));
    if (got != code)
        fail_msg("%s %s: %d instead of %d: %s", name, line, got, code,
                 puan_fix_file(f, "said"));
}

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

static bool says(struct puan_fix *f, const char *text)
{
    return strstr(puan_fix_file(f, "said"), text) != NULL;
}

/* ---- the chain ------------------------------------------------------------
 */

/* Results of the areas drawn: of every household its persons, one in eight
   missed by the census, one of the census's records in ten wrong or double;
   the same with the design beside them. */
static void results(struct puan_fix *f)
{
    const char *drawn = puan_fix_file(f, "drawn.csv");
    struct puan_out plain, joined;
    unsigned n = 0;

    puan_out_init(&plain, &f->a);
    puan_out_init(&joined, &f->a);
    puan_out_text(&plain, "household,sample,mover,result\n");
    puan_out_text(&joined, "stratum,ea,weight,p,sample,mover,result\n");
    for (const char *p = strchr(drawn, '\n') + 1; *p; p = strchr(p, '\n') + 1) {
        int county = 0, ea = 0, row = 0, nation = 0, of = 0;
        double weight = 0, share = 0;
        char design[96];

        assert_int_equal(sscanf(p, "%d,%d,%d,%d,%d,%lf,%lf", &county, &row,
                                &nation, &of, &ea, &weight, &share),
                         7);
        snprintf(design, sizeof(design), "%d,%d,%.17g,%.17g", county, ea,
                 weight, share);
        for (int h = 1; h <= homes(county, ea % 100); h++) {
            int64_t home = (int64_t)ea * 1000 + h;

            for (int i = 0; i < residents(home); i++, n++) {
                const char *row_of[2];

                row_of[0] = n % 11 == 3  ? "P,out,matched"
                            : n % 8 == 5 ? "P,stayed,missed"
                                         : "P,stayed,matched";
                row_of[1] = n % 20 == 7    ? "E,,duplicate"
                            : n % 20 == 13 ? "E,,erroneous"
                                           : "E,,correct";
                for (int k = 0; k < 2; k++) {
                    puan_out_fmt(&plain, "%lld,%s\n", (long long)home,
                                 row_of[k]);
                    puan_out_fmt(&joined, "%s,%s\n", design, row_of[k]);
                }
            }
        }
    }
    write_file(f, "results.csv", puan_out_view(&plain));
    write_file(f, "joined.csv", puan_out_view(&joined));
}

static void a_campaign_says_what_files_say(void **state)
{
    int64_t persons[2];
    struct puan_fix *f = make(persons);
    const char *here, *there;

    (void)state;
    ends(f, &puan_feature_sample, "sample draw",
         "DIR --purpose post-enumeration --seed s1 --unit ea --strata county "
         "--draw pps --size household --take-each 4 -o TMP/drawn.csv",
         PUAN_EXIT_DONE);
    ends(f, &puan_feature_evaluate, "evaluate coverage", "DIR 1",
         PUAN_EXIT_INPUT);
    assert_true(says(f, "nothing observed has been loaded"));
    results(f);
    ends(f, &puan_feature_sample, "sample results", "DIR 1 TMP/results.csv",
         PUAN_EXIT_DONE);
    ends(f, &puan_feature_evaluate, "evaluate coverage", "DIR 1 --csv",
         PUAN_EXIT_DONE);
    here = puan_fix_file(f, "said");
    write_file(f, "census.csv",
               puan_str_of(puan_arena_fmt(
                   &f->a, "stratum,persons\n111,%lld\n112,%lld\n",
                   (long long)persons[0], (long long)persons[1])));
    ends(f, &puan_feature_evaluate, "evaluate coverage",
         "TMP/joined.csv --weight weight --strata stratum --cluster ea --p p "
         "--drawn pps --by stratum --census TMP/census.csv --csv",
         PUAN_EXIT_DONE);
    there = puan_fix_file(f, "said");
    /* the counts are those of the returns, without those who do not live
       there */
    assert_int_equal((int64_t)field(here, "\n111,", 3), persons[0]);
    assert_int_equal((int64_t)field(here, "\n112,", 3), persons[1]);
    for (unsigned i = 1; i < 16; i++) {
        assert_true(fabs(field(here, "\nall,", i) - field(there, "\nall,", i)) <
                    1e-9);
        assert_true(fabs(field(here, "\n112,", i) - field(there, "\n112,", i)) <
                    1e-9);
    }
    assert_true(field(here, "\nall,", 5) > 0); /* a standard error */
    assert_true(field(here, "\nall,", 4) >
                (double)(persons[0] + persons[1]) * 0.9);
    /* the whole alone, and a count from elsewhere */
    ends(f, &puan_feature_evaluate, "evaluate coverage",
         "DIR 1 --by all --base present --csv", PUAN_EXIT_DONE);
    assert_true(field(puan_fix_file(f, "said"), "\nall,", 3) >
                (double)(persons[0] + persons[1]));
    ends(f, &puan_feature_evaluate, "evaluate coverage", "DIR 1 --by moon",
         PUAN_EXIT_INPUT);
    assert_true(says(f, "no column \"moon\""));
    puan_fix_verify(f);
    puan_fix_end(f);
}

/* ---- over HTTP --------------------------------------------------------------
 */

static struct puan_http_reply reply;

static unsigned ask(struct puan_fix *f, const char *role, int64_t area,
                    const char *method, const char *path, const char *body)
{
    struct puan_who who = { .credential = PUAN_CRED_HUMAN,
                            .account = 5,
                            .seat = 1,
                            .area = area };
    struct puan_http_call c = { .method = method };

    puan_format(who.name, sizeof(who.name), "%s", role);
    c.token = puan_fix_session(f, who, role);
    c.path = puan_arena_fmt(&f->a, "/api/v1/c/zz-pes/%s", path);
    c.body = puan_str_of(body);
    ok(puan_http_call(&reply, f->client, &c, err));
    return reply.status;
}

static bool replied(const char *text)
{
    return memmem(reply.body.p, reply.body.n, text, strlen(text)) != NULL;
}

static void the_office_does_the_same_and_only_where_it_may(void **state)
{
    static const char draw[] =
        "{\"area\":\"111\",\"purpose\":\"post-enumeration\",\"seed\":\"s\","
        "\"unit\":\"ea\",\"draw\":\"simple\",\"take\":\"4\"}";
    int64_t persons[2];
    struct puan_fix *f = make(persons);
    struct puan_str csv;

    (void)state;
    puan_fix_reopen(f);
    puan_fix_serve(f, 2, 1);
    assert_int_equal(ask(f, "clerk", 111, "POST", "samples", draw), 403);
    assert_int_equal(ask(f, "statistician", 112, "POST", "samples", draw), 403);
    assert_int_equal(ask(f, "statistician", 111, "POST", "samples",
                         "{\"purpose\":\"post-enumeration\",\"seed\":\"s\"}"),
                     400);
    assert_int_equal(ask(f, "statistician", 111, "POST", "samples", draw), 201);
    assert_true(replied("{\"id\":1}"));
    assert_int_equal(ask(f, "clerk", 111, "GET", "samples", NULL), 200);
    assert_true(replied("\"purpose\":\"post-enumeration\"") &&
                replied("\"drawn\":4") && replied("\"results\":0"));
    assert_int_equal(ask(f, "clerk", 112, "GET", "samples", NULL), 200);
    assert_true(replied("\"items\":[]"));
    assert_int_equal(ask(f, "clerk", 112, "GET", "samples/1", NULL), 404);
    assert_int_equal(ask(f, "clerk", 111, "GET", "samples/1", NULL), 200);
    assert_true(replied("\"unit\":\"ea\"") &&
                replied("\"units\":6,\"taken\":4"));
    assert_int_equal(ask(f, "clerk", 111, "GET", "samples/1/verify", NULL),
                     200);
    assert_true(replied("\"frame\":true,\"selection\":true,\"kept\":true"));
    assert_int_equal(ask(f, "clerk", 111, "GET", "samples/1/selection", NULL),
                     200);
    csv = reply.body;
    write_file(f, "drawn.csv", csv);
    assert_true(replied("stratum,row,county,ea,weight,p,stratum_units\nall,"));
    assert_int_equal(
        ask(f, "statistician", 111, "GET", "coverage?sample=1", NULL), 404);
    assert_int_equal(ask(f, "statistician", 111, "POST", "samples/1/results",
                         "ea,result\n11199,matched\n"),
                     400);
    assert_true(replied("not of this sample"));
    {
        const char *p = strstr(puan_fix_file(f, "drawn.csv"), "\nall,");
        int row, county, ea = 0;

        assert_non_null(p);
        assert_int_equal(sscanf(p, "\nall,%d,%d,%d", &row, &county, &ea), 3);
        assert_int_equal(
            ask(f, "statistician", 111, "POST", "samples/1/results?file=r.csv",
                puan_arena_fmt(&f->a,
                               "ea,result\n%d,matched\n%d,matched\n%d,missed\n",
                               ea, ea, ea)),
            201);
    }
    assert_int_equal(ask(f, "clerk", 111, "GET", "coverage?sample=1", NULL),
                     403);
    assert_int_equal(
        ask(f, "statistician", 111, "GET", "coverage?sample=1", NULL), 200);
    assert_true(replied("\"file\":\"r.csv\"") && replied("\"observed\":1") &&
                replied("\"omission_rate\":33.33333"));
    assert_true(replied(
        puan_arena_fmt(&f->a, "\"census\":%lld", (long long)persons[0])));
    assert_int_equal(
        puan_fix_office(f, "SELECT count(*) FROM ledger WHERE instr(entry, "
                           "CAST('sample/1/coverage' AS BLOB)) > 0"),
        1);
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_campaign_says_what_files_say),
        cmocka_unit_test(the_office_does_the_same_and_only_where_it_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
