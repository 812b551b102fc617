/*
 * The sampling commands as a user meets them: published estimates to every
 * digit printed (sources in test/published/README.md and
 * core/sample/estimate_test.c), draws redone from their record, and draws that
 * estimate what is known.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "features/host/test_fixture.h"
#include "features/sample/columns.h"
#include "features/sample/keys.h"
#include "features/sample/sample.h"
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

/* The number in the field of the line of --csv output that begins so. */
static double field(struct puan_fix *f, const char *line, unsigned column)
{
    const char *p = strstr(puan_fix_file(f, "said"), line);

    assert_non_null(p);
    while (column--) {
        p = strchr(p, ',');
        assert_non_null(p);
        p++;
    }
    return strtod(p, NULL);
}

#define PRINTS(value, format, text)                                            \
    do {                                                                       \
        char got_[64];                                                         \
        snprintf(got_, sizeof(got_), format, (value));                         \
        assert_string_equal(got_, text);                                       \
    } while (0)

enum { VALUE = 4, SE = 5 };

static void published_samples(void **state)
{
    struct puan_fix *f = *state;

    assert_int_equal(
        puan_fix_run(f, puan_sample_estimate,
            "estimate test/published/api_stratified.csv --weight pw --strata "
            "stype --stratum-units fpc --mean api00 --total enroll --csv"),
        PUAN_EXIT_DONE);
    PRINTS(field(f, "mean,api00,", VALUE), "%.2f", "662.29");
    PRINTS(field(f, "mean,api00,", SE), "%.4f", "9.4089");
    PRINTS(field(f, "total,enroll,", VALUE), "%.0f", "3687178");
    PRINTS(field(f, "total,enroll,", SE), "%.0f", "114642");
    assert_int_equal(
        puan_fix_run(f, puan_sample_estimate,
            "estimate test/published/api_two_stage.csv --weight pw --cluster "
            "dnum --stratum-units fpc1 --second-units fpc2 --mean api00 "
            "--total enroll --csv"),
        PUAN_EXIT_DONE);
    PRINTS(field(f, "mean,api00,", VALUE), "%.2f", "670.81");
    PRINTS(field(f, "mean,api00,", SE), "%.3f", "30.099");
    /* six schools told no enrolment */
    PRINTS(field(f, "total,enroll,", 3), "%.0f", "120");
    PRINTS(field(f, "total,enroll,", VALUE), "%.0f", "2639273");
    PRINTS(field(f, "total,enroll,", SE), "%.0f", "799638");
    assert_int_equal(
        puan_fix_run(f, puan_sample_estimate,
            "estimate test/published/api_clusters.csv --weight pw --cluster "
            "dnum --stratum-units fpc --share stype --csv"),
        PUAN_EXIT_DONE);
    PRINTS(field(f, "share,stype=H,", VALUE), "%.6f", "0.076503");
    PRINTS(field(f, "share,stype=H,", SE), "%.4f", "0.0268");
    assert_int_equal(
        puan_fix_run(f, puan_sample_estimate,
            "estimate test/published/election_pps.csv --weight wt --p p "
            "--drawn pps --total Bush --total Kerry --csv"),
        PUAN_EXIT_DONE);
    PRINTS(field(f, "total,Bush,", VALUE), "%.0f", "64518472");
    PRINTS(field(f, "total,Bush,", SE), "%.0f", "2447629");
    PRINTS(field(f, "total,Kerry,", SE), "%.0f", "2450787");
}

static void what_is_wrong_is_said(void **state)
{
    struct puan_fix *f = *state;
    struct puan_out o;
    const char *path = puan_arena_fmt(&f->a, "%s/bad.csv", f->root);

    assert_int_equal(puan_fix_run(f, puan_sample_estimate,
                         "estimate test/published/fpc.csv --mean nosuch"),
                     PUAN_EXIT_INPUT);
    assert_non_null(strstr(puan_fix_file(f, "said"), "fpc.csv: the header has no column "
                                    "\"nosuch\""));
    assert_int_equal(
        puan_fix_run(f, puan_sample_estimate, "estimate test/published/fpc.csv"),
        PUAN_EXIT_USAGE);
    assert_int_equal(puan_fix_run(f, puan_sample_estimate,
                         "estimate test/published/fpc.csv --ratio x"
                         " --weight weight"),
                     PUAN_EXIT_INPUT);
    puan_out_init(&o, &f->a);
    puan_out_text(&o, "w,y\n1,2\n1,two\n");
    assert_int_equal(puan_file_write(path, puan_out_view(&o), 0600, NULL),
                     PUAN_OK);
    assert_int_equal(
        puan_fix_run(f, puan_sample_estimate,
            puan_arena_fmt(&f->a, "estimate %s --mean y --weight w", path)),
        PUAN_EXIT_INPUT);
    assert_non_null(strstr(puan_fix_file(f, "said"), "bad.csv:3:2: y: \"two\" is not a number"));
    assert_int_equal(
        puan_fix_run(f, puan_sample_draw, "sample test/published/fpc.csv --take 3"),
        PUAN_EXIT_USAGE); /* no seed */
    assert_int_equal(puan_fix_run(f, puan_sample_draw,
                         "sample test/published/fpc.csv --take 30 --seed s"),
                     PUAN_EXIT_INPUT);
    assert_int_equal(
        puan_fix_run(f, puan_sample_draw,
            "sample test/published/fpc.csv --take 3 --seed s --unit ea"),
        PUAN_EXIT_INPUT);
    assert_non_null(strstr(puan_fix_file(f, "said"), "--level"));
    assert_int_equal(
        puan_fix_run(f, puan_sample_verify,
            "verify test/published/fpc.csv test/published/fpc.csv"),
        PUAN_EXIT_INPUT);
}

/* 3 counties, 20 areas each, 5 to 24 persons an area, two to a household. */
static const char *population(struct puan_fix *f, double *income)
{
    const char *path = puan_arena_fmt(&f->a, "%s/people.csv", f->root);
    struct puan_out o;
    unsigned s = 1;

    puan_out_init(&o, &f->a);
    puan_out_text(&o, "county,ea,household,person,income\n");
    *income = 0;
    for (unsigned c = 1; c <= 3; c++)
        for (unsigned e = 1; e <= 20; e++)
            for (unsigned p = 0; p < 4 + e; p++) {
                unsigned v;

                s = s * 1103515245u + 12345u;
                v = 100 * c + 10 * e + (s >> 16) % 100;
                *income += v;
                puan_out_fmt(&o, "%02u,%u,%u,%u,%u\n", c, e, p / 2 + 1, p + 1,
                             v);
            }
    assert_int_equal(puan_file_write(path, puan_out_view(&o), 0600, NULL),
                     PUAN_OK);
    return path;
}

#define LEVELS                                                                 \
    "--level county=county --level ea=county,ea --level "                      \
    "household=county,ea,household "

static void a_draw_is_redone_from_its_record(void **state)
{
    struct puan_fix *f = *state;
    double income;
    const char *data = population(f, &income);
    const char *rec = puan_arena_fmt(&f->a, "%s/rec.json", f->root);
    const char *csv = puan_arena_fmt(&f->a, "%s/s.csv", f->root);
    struct puan_str a, b;

    assert_int_equal(
        puan_fix_run(f, puan_sample_draw,
            puan_arena_fmt(&f->a,
                           "sample %s " LEVELS "--unit ea --draw pps --size "
                           "person --strata county --take 12 --within person "
                           "--then-take 4 --columns county,ea,person,income "
                           "--seed 2030-11-20 -o %s --record %s",
                           data, csv, rec)),
        PUAN_EXIT_DONE);
    assert_int_equal(puan_file_read(&a, csv, 1 << 20, &f->a, NULL), PUAN_OK);
    assert_non_null(
        strstr(puan_arena_dup(&f->a, a),
               "stratum,row,unit_row,county,ea,person,income,weight,"
               "p,stratum_units,second_units\n01,"));
    assert_int_equal(puan_fix_run(f, puan_sample_verify,
                         puan_arena_fmt(&f->a, "verify %s %s", rec, data)),
                     PUAN_EXIT_DONE);
    /* another seed draws others */
    assert_int_equal(
        puan_fix_run(f, puan_sample_draw,
            puan_arena_fmt(&f->a,
                           "sample %s " LEVELS "--unit ea --draw pps --size "
                           "person --strata county --take 12 --within person "
                           "--then-take 4 --columns county,ea,person,income "
                           "--seed 2030-11-21 -o %s --quiet",
                           data, csv)),
        PUAN_EXIT_DONE);
    assert_int_equal(puan_file_read(&b, csv, 1 << 20, &f->a, NULL), PUAN_OK);
    assert_false(puan_str_eq(a, b));
    /* another frame is noticed */
    {
        struct puan_out o;
        struct puan_str old;
        const char *other = puan_arena_fmt(&f->a, "%s/other.csv", f->root);

        assert_int_equal(puan_file_read(&old, data, 1 << 20, &f->a, NULL),
                         PUAN_OK);
        puan_out_init(&o, &f->a);
        puan_out_str(&o, old);
        puan_out_text(&o, "03,20,99,1,5\n");
        assert_int_equal(puan_file_write(other, puan_out_view(&o), 0600, NULL),
                         PUAN_OK);
        assert_int_equal(puan_fix_run(f, puan_sample_verify,
                             puan_arena_fmt(&f->a, "verify %s %s", rec, other)),
                         PUAN_EXIT_FINDINGS);
    }
}

/* Over many seeds the estimates are right on average, and the errors told are
   those that occur. */
static void estimates_are_unbiased(void **state)
{
    struct puan_fix *f = *state;
    double income, sum = 0, sum2 = 0, told = 0;
    const char *data = population(f, &income);
    const char *csv = puan_arena_fmt(&f->a, "%s/s.csv", f->root);
    const unsigned trials = 200;

    for (unsigned i = 0; i < trials; i++) {
        double v;

        assert_int_equal(
            puan_fix_run(f, puan_sample_draw,
                puan_arena_fmt(
                    &f->a,
                    "sample %s " LEVELS "--unit ea --draw simple --strata "
                    "county --take 24 --within person --then-take 3 --then "
                    "simple --columns county,ea,income --seed s%u -o %s "
                    "--quiet",
                    data, i, csv)),
            PUAN_EXIT_DONE);
        assert_int_equal(
            puan_fix_run(f, puan_sample_estimate,
                puan_arena_fmt(&f->a,
                               "estimate %s --weight weight --strata stratum "
                               "--cluster unit_row --stratum-units "
                               "stratum_units --second-units second_units "
                               "--total income --csv",
                               csv)),
            PUAN_EXIT_DONE);
        v = field(f, "total,income,", VALUE);
        sum += v;
        sum2 += v * v;
        v = field(f, "total,income,", SE);
        told += v * v;
    }
    {
        double mean = sum / trials, sd = sqrt(sum2 / trials - mean * mean);

        assert_true(fabs(mean - income) < 4 * sd / sqrt(trials));
        assert_true(fabs(sqrt(told / trials) / sd - 1) < 0.15);
    }
}

/* Left at size 0 it could never be drawn, and the weights would not say so. */
static void a_unit_without_a_size_is_refused(void **state)
{
    struct puan_fix *f = *state;
    const char *data = puan_arena_fmt(&f->a, "%s/d.csv", f->root);
    const char *line = puan_arena_fmt(
        &f->a, "sample %s --draw pps --size n --take 1 --seed s", data);

    assert_int_equal(
        puan_file_write(data, PUAN_STR("a,n\n1,4\n2,\n3,5\n"), 0644, NULL),
        PUAN_OK);
    assert_int_equal(puan_fix_run(f, puan_sample_draw, line), PUAN_EXIT_INPUT);
    assert_non_null(strstr(puan_fix_file(f, "said"), "row 2 has no size"));
}

/* Nor may the sample take the place of what it is drawn from. */
static void the_data_are_not_written_over(void **state)
{
    struct puan_fix *f = *state;
    const char *data = puan_arena_fmt(&f->a, "%s/d.csv", f->root);

    assert_int_equal(puan_file_write(data, PUAN_STR("a\n1\n2\n"), 0644, NULL),
                     PUAN_OK);
    assert_int_equal(
        puan_fix_run(f, puan_sample_draw,
            puan_arena_fmt(&f->a, "sample %s --take 1 --seed s -o %s", data,
                           data)),
        PUAN_EXIT_USAGE);
    assert_int_equal(puan_file_size(data), 6);
}

/* Certain units are taken with probability 1; the rest with size / step. */
static void pps_weights_add_up(void **state)
{
    struct puan_fix *f = *state;
    double income, sum = 0;
    const char *data = population(f, &income);

    assert_int_equal(
        puan_fix_run(f, puan_sample_draw,
            puan_arena_fmt(&f->a,
                           "sample %s " LEVELS "--unit ea --draw pps --size "
                           "person --take 20 --within person --then-take 5 "
                           "--seed s -o - --quiet",
                           data)),
        PUAN_EXIT_DONE);
    /* size-proportional first, a fixed number second: equal weights, and they
       add up to the persons */
    for (const char *p = strchr(puan_fix_file(f, "said"), '\n'); p && p[1];
         p = strchr(p + 1, '\n')) {
        const char *q = p + 1;

        for (unsigned c = 0; c < 6; c++)
            q = strchr(q, ',') + 1;
        sum += strtod(q, NULL);
    }
    assert_true(fabs(sum - 3 * (20 * 4 + 210)) < 1e-6);
}

static void takes_by_stratum(void **state)
{
    struct puan_fix *f = *state;
    double income;
    const char *data = population(f, &income), *path;
    struct puan_out o;

    path = puan_arena_fmt(&f->a, "%s/takes.csv", f->root);
    puan_out_init(&o, &f->a);
    puan_out_text(&o, "stratum,take\n01,2\n02,0\n03,5\n");
    assert_int_equal(puan_file_write(path, puan_out_view(&o), 0600, NULL),
                     PUAN_OK);
    assert_int_equal(
        puan_fix_run(f, puan_sample_draw,
            puan_arena_fmt(&f->a,
                           "sample %s " LEVELS "--unit ea --strata county "
                           "--takes %s --seed s --json",
                           data, path)),
        PUAN_EXIT_DONE);
    assert_non_null(strstr(puan_fix_file(f, "said"),
                           "{\"stratum\":\"01\",\"units\":20,\"taken\":"
                           "2},{\"stratum\":\"02\",\"units\":20,"
                           "\"taken\":0},{\"stratum\":\"03\",\"units\":"
                           "20,\"taken\":5}"));
    assert_non_null(strstr(puan_fix_file(f, "said"), "\"selection\":{\"rows\":7,"));
}

/* PracTools, strAlloc: hospitals (core/sample/estimate_test.c). */
static void allocation(void **state)
{
    struct puan_fix *f = *state;
    const char *path = puan_arena_fmt(&f->a, "%s/h.csv", f->root);
    struct puan_out o;

    puan_out_init(&o, &f->a);
    puan_out_text(&o, "stratum,units,sd,cost\n1,215,26787207,1400\n"
                      "2,65,10645109,200\n3,252,6909676,300\n"
                      "4,50,11085034,600\n5,149,9817762,450\n"
                      "6,144,44553355,1000\n");
    assert_int_equal(puan_file_write(path, puan_out_view(&o), 0600, NULL),
                     PUAN_OK);
    assert_int_equal(puan_fix_run(f, puan_sample_allocate,
                         puan_arena_fmt(&f->a, "allocate %s --take 100", path)),
                     PUAN_EXIT_DONE);
    assert_non_null(strstr(puan_fix_file(f, "said"), "1,215,34.641683,35\n2,65,4.161947,4\n"
                                    "3,252,10.473487,10\n4,50,3.333804,3\n"
                                    "5,149,8.798970,9\n6,144,38.590108,39\n"));
    assert_int_equal(
        puan_fix_run(f, puan_sample_allocate,
            puan_arena_fmt(&f->a, "allocate %s --cv 0.05 --mean 11664181",
                           path)),
        PUAN_EXIT_DONE);
    assert_non_null(strstr(puan_fix_file(f, "said"), "1,215,104.549"));
    assert_int_equal(puan_fix_run(f, puan_sample_allocate,
                         puan_arena_fmt(&f->a, "allocate %s", path)),
                     PUAN_EXIT_USAGE);
}

static void labels_are_in_order(void **state)
{
    (void)state;
    assert_true(puan_label_cmp(PUAN_STR("9"), PUAN_STR("10")) < 0);
    assert_true(puan_label_cmp(PUAN_STR("10"), PUAN_STR("a")) < 0);
    assert_true(puan_label_cmp(PUAN_STR("b"), PUAN_STR("a")) > 0);
    assert_int_equal(puan_label_cmp(PUAN_STR("07"), PUAN_STR("07")), 0);
}

static void keys_are_told_apart(void **state)
{
    struct puan_keys k = { 0 };

    (void)state;
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 5000; i++) {
            const int64_t key[PUAN_KEY_MOST] = { i % 71, i, 0, -1 };

            assert_int_equal(puan_keys_of(&k, key), i);
        }
    assert_int_equal(k.n, 5000);
    puan_keys_clear(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_samples),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_draw_is_redone_from_its_record),
        cmocka_unit_test(estimates_are_unbiased),
        cmocka_unit_test(a_unit_without_a_size_is_refused),
        cmocka_unit_test(the_data_are_not_written_over),
        cmocka_unit_test(pps_weights_add_up),
        cmocka_unit_test(takes_by_stratum),
        cmocka_unit_test(allocation),
        cmocka_unit_test(labels_are_in_order),
        cmocka_unit_test(keys_are_told_apart),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
