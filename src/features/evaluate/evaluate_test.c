/*
 * The evaluation commands as a user meets them: published examples to every
 * digit printed (sources in test/published/README.md), areas and bands, a
 * pyramid, growth, and coverage of a census made with known errors.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "features/evaluate/evaluate.h"
#include "features/evaluate/indices.h"
#include "features/host/test_fixture.h"
#include "kit/os/os.h"

static int set_up(void **state)
{
    *state = puan_fix_begin(NULL);
    return 0;
}

static int tear_down(void **state)
{
    puan_fix_end(*state);
    return 0;
}

static const char *file(struct puan_fix *f, const char *name,
                        const struct puan_out *o)
{
    const char *path = puan_arena_fmt(&f->a, "%s/%s", f->root, name);

    assert_int_equal(puan_file_write(path, puan_out_view(o), 0600, NULL),
                     PUAN_OK);
    return path;
}

#define SAYS(f, text)                                                          \
    do {                                                                       \
        const char *said_ = puan_fix_file(f, "said");                              \
        if (!strstr(said_, text))                                              \
            print_error("%s\n", said_);                                        \
        assert_non_null(strstr(said_, text));                                  \
    } while (0)

#define PRINTS(value, format, text)                                            \
    do {                                                                       \
        char got_[64];                                                         \
        snprintf(got_, sizeof(got_), format, (value));                         \
        assert_string_equal(got_, text);                                       \
    } while (0)

/* The value of a measure in the JSON that was said. */
static double number(struct puan_fix *f, const char *measure)
{
    const char *p =
        strstr(puan_fix_file(f, "said"),
               puan_arena_fmt(&f->a, "\"%s\":{\"value\":", measure));

    assert_non_null(p);
    return strtod(p + strlen(measure) + 12, NULL);
}

/* PAS, SINGAGE: 2.34; DemoTools: 2.33873, 2.601614, 1.786339, 23.62787 (ages
   10-89), 28.93849, 5.066123. */
static void single_ages_as_published(void **state)
{
    struct puan_fix *f = *state;

    assert_int_equal(puan_fix_run(f, puan_evaluate_ages,
                         "evaluate test/published/singage.csv --count persons "
                         "--myers-ages 10-89 --json"),
                     PUAN_EXIT_DONE);
    PRINTS(number(f, "whipple") / 100, "%.5f", "2.33873");
    PRINTS(number(f, "whipple_0") / 100, "%.6f", "2.601614");
    PRINTS(number(f, "whipple_5") / 100, "%.6f", "1.786339");
    PRINTS(number(f, "myers"), "%.5f", "23.62787");
    SAYS(f, "\"from\":10,\"to\":89}");
    PRINTS(number(f, "bachi"), "%.5f", "28.93849");
    PRINTS(number(f, "spoorenberg"), "%.6f", "5.066123");
}

/* PAS, AGESEX: 3.907, 3.655, 2.249, 14.308. */
static void age_groups_as_published(void **state)
{
    struct puan_fix *f = *state;

    assert_int_equal(puan_fix_run(f, puan_evaluate_ages,
                         "evaluate test/published/agesex.csv --count persons "
                         "--five --open 75 --score-ages 0-74 --lang en"),
                     PUAN_EXIT_DONE);
    SAYS(f, "Age ratio score, men                       3.907");
    SAYS(f, "Age ratio score, women                     3.655");
    SAYS(f, "Sex ratio score                            2.249");
    SAYS(f, "UN age-sex accuracy index                 14.308");
    SAYS(f, "Das Gupta's index                         3.2713");
    SAYS(f, "no single years of age");
}

/* recapr's vignette: 725.2381, 127.8601, 474.6368 to 975.8394. */
static void two_lists_as_published(void **state)
{
    struct puan_fix *f = *state;

    assert_int_equal(
        puan_fix_run(f, puan_evaluate_coverage, "coverage --lists 100,150,20"),
        PUAN_EXIT_DONE);
    SAYS(f, "Chapman 725.2381 (SE 127.8601), 95 %: 474.6368 – 975.8394");
    assert_int_equal(puan_fix_run(f, puan_evaluate_coverage, "coverage --lists 1,2,3"),
                     PUAN_EXIT_USAGE);
    assert_int_equal(puan_fix_run(f, puan_evaluate_coverage, "coverage --lists 1,2"),
                     PUAN_EXIT_USAGE);
}

/* DemoTools, surv10: 1.0052797 of the youngest live ten years on. */
static void growth_as_published(void **state)
{
    struct puan_fix *f = *state;

    assert_int_equal(
        puan_fix_run(f, puan_evaluate_growth,
            "growth test/published/japan_1960.csv test/published/japan_1970.csv"
            " --five --open 85 --count persons --years 10 --lang en --csv -"
            " --quiet"),
        PUAN_EXIT_DONE);
    SAYS(f, ",,women,cohort_ratio,0,1.005280\n");
    SAYS(f, ",,women,later,,52648881.000000\n");
    assert_int_equal(
        puan_fix_run(f, puan_evaluate_growth,
            "growth test/published/japan_1960.csv test/published/japan_1970.csv"
            " --five --open 85 --count persons --years 10 --limits 0.93-1.005"),
        PUAN_EXIT_FINDINGS); /* ages 0-4, 1.00528 */
    assert_int_equal(puan_fix_run(f, puan_evaluate_growth,
                         "growth test/published/japan_1960.csv --years 10"),
                     PUAN_EXIT_USAGE);
}

/* 40 areas of 2,000 people; in area 7 everybody's age is rounded to tens, in
   area 9 there are two men to a woman. */
static const char *people(struct puan_fix *f)
{
    struct puan_out o;
    unsigned s = 5;

    puan_out_init(&o, &f->a);
    puan_out_text(&o, "county,area,sex,age,month,day\n");
    for (unsigned a = 1; a <= 40; a++)
        for (unsigned i = 0; i < 2000; i++) {
            unsigned age, sex;

            s = s * 1103515245u + 12345u;
            age = (s >> 8) % 8400 / 100;
            if (a == 7)
                age = (age + 5) / 10 * 10;
            s = s * 1103515245u + 12345u;
            sex = 1 + (a == 9 ? (s >> 9) % 3 == 0 : (s >> 9) % 2);
            puan_out_fmt(&o, "%u,%u,%u,%u,%u,%u\n", 1 + a / 21, a, sex, age,
                         1 + (s >> 12) % 12, 1 + (s >> 17) % 28);
        }
    puan_out_text(&o, "2,40,,30,1,1\n2,40,1,,1,1\n");
    return file(f, "people.csv", &o);
}

static void bad_areas_stand_out(void **state)
{
    struct puan_fix *f = *state;
    struct puan_out o;
    const char *data = people(f), *bands;

    puan_out_init(&o, &f->a);
    puan_out_text(&o, "measure,by,alarm_below,note_below,note_above,"
                      "alarm_above,least,source\n"
                      "whipple,area,,,110,125,500,test\n"
                      "sex_ratio,area,80,,,125,500,test\n"
                      "myers,area,,,5,10,500,test\n");
    bands = file(f, "bands.csv", &o);
    assert_int_equal(
        puan_fix_run(f, puan_evaluate_ages,
            puan_arena_fmt(&f->a,
                           "evaluate %s --by area --by county --birth-month "
                           "month --digits day --bands %s --lang en",
                           data, bands)),
        PUAN_EXIT_FINDINGS);
    SAYS(f, "80000 persons; sex or age unknown: 2; areas: 42");
    SAYS(f, "areas with an alarm: 2");
    SAYS(f, "ALARM area 7 (2000); Whipple's index (0, 5) ");
    SAYS(f, "ALARM area 9 (2000); Sex ratio ");
    SAYS(f, "Months of birth, %");
    SAYS(f, "Last digits, %");
    /* small areas are not judged */
    assert_int_equal(
        puan_fix_run(f, puan_evaluate_ages,
            puan_arena_fmt(&f->a,
                           "evaluate %s --by area --bands %s --least 5000 "
                           "--quiet",
                           data, bands)),
        PUAN_EXIT_DONE);
    SAYS(f, "警戒 0 个"); /* --quiet takes no verdict away */
    assert_int_equal(
        puan_fix_run(f, puan_evaluate_ages,
            puan_arena_fmt(&f->a,
                           "evaluate %s --by area --where area!=7 --bands %s "
                           "--lang en",
                           data, bands)),
        PUAN_EXIT_FINDINGS);
    SAYS(f, "areas with an alarm: 1");
}

/* Bands made of real counties: the national data raise no alarm by them, as the
   textbook's limits of 20 and 40 would. */
static void bands_of_real_counties(void **state)
{
    struct puan_fix *f = *state;
    const char *q = puan_arena_fmt(&f->a, "%s/q.csv", f->root);

    assert_int_equal(
        puan_fix_run(f, puan_evaluate_ages,
            puan_arena_fmt(&f->a,
                           "evaluate data/census2020_areas.csv --wide m_,f_ "
                           "--by county=code --least 1000 --quantiles %s "
                           "--quiet",
                           q)),
        PUAN_EXIT_DONE);
    assert_non_null(strstr(puan_fix_file(f, "q.csv"), "\nun,county,,,"));
    assert_int_equal(puan_fix_run(f, puan_evaluate_ages,
                         "evaluate data/census2020_areas.csv --wide m_,f_ --by "
                         "county=code --where county=全国 --bands "
                         "data/bands_counties_2020.csv --lang en"),
                     PUAN_EXIT_DONE);
    SAYS(f, "1409778724 persons");
    SAYS(f, "UN age-sex accuracy index                 29.419");
}

/* Ages among which a text stands are texts: their places are no ages. */
static void a_bad_cell_is_one_unknown_age(void **state)
{
    struct puan_fix *f = *state;
    struct puan_out o;
    const char *data, *half;

    puan_out_init(&o, &f->a);
    puan_out_text(&o, "sex,age\n");
    for (int i = 0; i < 200; i++)
        puan_out_fmt(&o, "%d,%d\n", 1 + i % 2, i / 2);
    puan_out_text(&o, "1,abc\n");
    data = puan_arena_fmt(&f->a, "%s/bad.csv", f->root);
    assert_int_equal(puan_file_write(data, puan_out_view(&o), 0600, NULL),
                     PUAN_OK);
    assert_int_equal(puan_fix_run(f, puan_evaluate_ages,
                         puan_arena_fmt(&f->a, "evaluate %s --lang en", data)),
                     PUAN_EXIT_DONE);
    SAYS(f, "200 persons; sex or age unknown: 1");
    SAYS(f, "Share aged 0-14 %                          15.00");
    /* ages of half years: 3.5 is 3 */
    half = puan_arena_fmt(&f->a, "%s/half.csv", f->root);
    assert_int_equal(
        puan_file_write(half, PUAN_STR("sex,age\n1,14.5\n2,3.5\n1,15.0\n2,70\n"),
                        0600, NULL),
        PUAN_OK);
    assert_int_equal(puan_fix_run(f, puan_evaluate_ages,
                         puan_arena_fmt(&f->a, "evaluate %s --lang en", half)),
                     PUAN_EXIT_DONE);
    SAYS(f, "Share aged 0-14 %                          50.00");
}

static void a_pyramid_is_drawn(void **state)
{
    struct puan_fix *f = *state;
    const char *svg = puan_arena_fmt(&f->a, "%s/p.svg", f->root), *text;

    assert_int_equal(
        puan_fix_run(f, puan_evaluate_ages,
            puan_arena_fmt(&f->a,
                           "evaluate %s --svg %s --title a<b --against %s "
                           "--lang en --quiet",
                           people(f), svg, people(f))),
        PUAN_EXIT_DONE);
    text = puan_fix_file(f, "p.svg");
    assert_int_equal(strncmp(text, "<svg xmlns=", 11), 0);
    assert_non_null(strstr(text, "<title>a&lt;b</title>"));
    assert_non_null(strstr(text, ">Men</text>"));
    assert_non_null(strstr(text, "class=\"o\""));
    assert_string_equal(text + strlen(text) - 7, "</svg>\n");
    assert_null(strstr(text, "nan"));
}

static void what_is_wrong_is_said(void **state)
{
    struct puan_fix *f = *state;
    struct puan_out o;
    const char *path;

    assert_int_equal(puan_fix_run(f, puan_evaluate_ages, "evaluate"), PUAN_EXIT_USAGE);
    assert_int_equal(
        puan_fix_run(f, puan_evaluate_ages, "evaluate test/published/fpc.csv"),
        PUAN_EXIT_INPUT);
    SAYS(f, "say --age and --sex");
    puan_out_init(&o, &f->a);
    puan_out_text(&o, "measure,by,alarm_below,note_below,note_above,"
                      "alarm_above,least,source\nwhipple,,5,4,,,,x\n");
    path = file(f, "b.csv", &o);
    assert_int_equal(puan_fix_run(f, puan_evaluate_ages,
                         puan_arena_fmt(&f->a,
                                        "evaluate test/published/singage.csv "
                                        "--count persons --bands %s",
                                        path)),
                     PUAN_EXIT_INPUT);
    SAYS(f, "b.csv:2:4: note_below: a number");
    puan_out_init(&o, &f->a);
    puan_out_text(&o, "code,m_0,m_1_9,f_0,f_1_9\n1,1,2,3,4\n");
    path = file(f, "w.csv", &o);
    assert_int_equal(
        puan_fix_run(f, puan_evaluate_ages,
            puan_arena_fmt(&f->a, "evaluate %s --wide m_,f_", path)),
        PUAN_EXIT_INPUT);
    SAYS(f, "reaches over more than one five-year group");
    puan_out_init(&o, &f->a);
    puan_out_text(&o, "code,m_0,m_1_4,f_0,f_1_4\n1,1,x,3,4\n");
    path = file(f, "w.csv", &o);
    assert_int_equal(
        puan_fix_run(f, puan_evaluate_ages,
            puan_arena_fmt(&f->a, "evaluate %s --wide m_,f_", path)),
        PUAN_EXIT_INPUT);
    SAYS(f, "w.csv:2:3: \"x\" is not a number of persons");
    puan_out_init(&o, &f->a);
    puan_out_text(&o, "sample,mover,result\nP,stayed,perhaps\n");
    path = file(f, "pes.csv", &o);
    assert_int_equal(puan_fix_run(f, puan_evaluate_coverage,
                         puan_arena_fmt(&f->a, "coverage %s", path)),
                     PUAN_EXIT_INPUT);
    SAYS(f, "row 2: result of a person of the survey is matched or missed");
}

/*
 * A census of 40,000 people in 400 clusters, of whom it missed 6 % and counted
 * some twice; a survey of 60 clusters, many times over.  The estimate is right
 * on average, and the error told is that which occurs.
 */
static unsigned long long next(unsigned long long *s)
{
    *s = *s * 6364136223846793005u + 1442695040888963407u;
    return *s >> 33;
}

static void coverage_of_a_known_census(void **state)
{
    enum { CLUSTERS = 400, SIZE = 100, TRIALS = 60, TAKEN = 60 };
    struct puan_fix *f = *state;
    unsigned long long s = 20301101;
    double sum = 0, sum2 = 0, told = 0, census = 0;
    static bool counted[CLUSTERS][SIZE], twice[CLUSTERS][SIZE];

    for (unsigned c = 0; c < CLUSTERS; c++)
        for (unsigned i = 0; i < SIZE; i++) {
            /* some clusters are missed more than others */
            counted[c][i] = next(&s) % 1000 >= 20 + 80 * (c % 2);
            twice[c][i] = counted[c][i] && next(&s) % 100 < 2;
            census += counted[c][i] + twice[c][i];
        }
    for (unsigned t = 0; t < TRIALS; t++) {
        struct puan_out o;
        const char *path, *p;
        double v;

        puan_out_init(&o, &f->a);
        puan_out_text(&o, "cluster,weight,sample,mover,result,clusters\n");
        for (unsigned k = 0; k < TAKEN; k++) {
            unsigned c = (unsigned)(next(&s) % CLUSTERS);

            for (unsigned i = 0; i < SIZE; i++) {
                if (next(&s) % 100 < 90)
                    puan_out_fmt(&o, "%u,6.6667,P,stayed,%s,\n", k,
                                 counted[c][i] ? "matched" : "missed");
                if (counted[c][i])
                    puan_out_fmt(&o, "%u,6.6667,E,,correct,\n", k);
                if (twice[c][i])
                    puan_out_fmt(&o, "%u,6.6667,E,,duplicate,\n", k);
            }
        }
        path = file(f, "pes.csv", &o);
        assert_int_equal(
            puan_fix_run(f, puan_evaluate_coverage,
                puan_arena_fmt(&f->a,
                               "coverage %s --weight weight --cluster cluster "
                               "--count %u --csv",
                               path, (unsigned)census)),
            PUAN_EXIT_DONE);
        p = strstr(puan_fix_file(f, "said"), "\nall,");
        assert_non_null(p);
        for (unsigned c = 0; c < 4; c++)
            p = strchr(p, ',') + 1;
        v = strtod(p, NULL);
        sum += v;
        sum2 += v * v;
        p = strchr(p, ',') + 1;
        v = strtod(p, NULL);
        told += v * v;
    }
    {
        double mean = sum / TRIALS, sd = sqrt(sum2 / TRIALS - mean * mean);

        assert_true(fabs(mean - CLUSTERS * SIZE) < 4 * sd / sqrt(TRIALS));
        assert_true(fabs(sqrt(told / TRIALS) / sd - 1) < 0.3);
        assert_true(census < CLUSTERS * SIZE - 2 * sd); /* it matters */
    }
}

static void coverage_by_domain(void **state)
{
    struct puan_fix *f = *state;
    struct puan_out o;
    const char *pes, *census;

    puan_out_init(&o, &f->a);
    puan_out_text(&o, "cluster,sample,mover,result,area\n");
    for (unsigned c = 0; c < 10; c++)
        for (unsigned i = 0; i < 20; i++)
            puan_out_fmt(&o, "%u,P,N,%u,%s\n", c, i >= 2 + c % 3,
                         c % 2 ? "town" : "village");
    pes = file(f, "pes.csv", &o);
    puan_out_init(&o, &f->a);
    puan_out_text(&o, "area,persons\ntown,900\nvillage,1800\n");
    census = file(f, "census.csv", &o);
    assert_int_equal(
        puan_fix_run(f, puan_evaluate_coverage,
            puan_arena_fmt(&f->a,
                           "coverage %s --cluster cluster --by area --census "
                           "%s --lang en",
                           pes, census)),
        PUAN_EXIT_DONE);
    /* clusters 1 3 5 7 9: 3 2 4 3 2 of 20 missed, 14 %; 0 2 4 6 8: 2 4 3 2 4 */
    SAYS(f, "town (P 100, E 0)\n  omitted 14.0000 %");
    SAYS(f, "dual-system estimate 1047 (SE ");
    SAYS(f, "village (P 100, E 0)\n  omitted 15.0000 %");
    SAYS(f, "sum of the domains 3164 (SE ");
    SAYS(f, "no sample of census records (E)");
    puan_out_init(&o, &f->a);
    puan_out_text(&o, "area,persons\ncity,900\n");
    census = file(f, "census.csv", &o);
    assert_int_equal(
        puan_fix_run(f, puan_evaluate_coverage,
            puan_arena_fmt(
                &f->a, "coverage %s --cluster cluster --by area --census %s",
                pes, census)),
        PUAN_EXIT_INPUT);
    SAYS(f, "the survey has nobody of \"city\"");
}

/* A band is passed surely or not at all. */
static void chance_raises_no_alarm(void **state)
{
    struct puan_band band = { .measure = PUAN_M_SEX_RATIO,
                              .limit = { 80, 90, 110, 120 } };
    struct puan_bands b = { &band, 1 };
    const struct puan_band *used;
    struct puan_measured m = { .given = true, .value = 130, .se = 10 };

    (void)state;
    assert_int_equal(
        puan_judge(&used, &b, PUAN_M_SEX_RATIO, &m, PUAN_STR(""), 100),
        PUAN_JUDGE_NOTE);
    m.se = 4;
    assert_int_equal(
        puan_judge(&used, &b, PUAN_M_SEX_RATIO, &m, PUAN_STR(""), 100),
        PUAN_JUDGE_ALARM);
    m.value = 85;
    m.se = 1;
    assert_int_equal(
        puan_judge(&used, &b, PUAN_M_SEX_RATIO, &m, PUAN_STR(""), 100),
        PUAN_JUDGE_NOTE);
    m.value = 100;
    assert_int_equal(
        puan_judge(&used, &b, PUAN_M_SEX_RATIO, &m, PUAN_STR(""), 100),
        PUAN_JUDGE_GOOD);
    assert_int_equal(puan_judge(&used, &b, PUAN_M_MYERS, &m, PUAN_STR(""), 100),
                     PUAN_JUDGE_NONE);
    band.least = 200;
    assert_int_equal(
        puan_judge(&used, &b, PUAN_M_SEX_RATIO, &m, PUAN_STR(""), 100),
        PUAN_JUDGE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_ages_as_published),
        cmocka_unit_test(age_groups_as_published),
        cmocka_unit_test(two_lists_as_published),
        cmocka_unit_test(growth_as_published),
        cmocka_unit_test(bad_areas_stand_out),
        cmocka_unit_test(bands_of_real_counties),
        cmocka_unit_test(a_bad_cell_is_one_unknown_age),
        cmocka_unit_test(a_pyramid_is_drawn),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(coverage_of_a_known_census),
        cmocka_unit_test(coverage_by_domain),
        cmocka_unit_test(chance_raises_no_alarm),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
