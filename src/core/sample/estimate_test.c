/*
 * Tests of estimates and their standard errors against published examples, to
 * every digit printed; the data stand in test/published with their sources.
 * "survey" is the R package of T. Lumley: its manual and the results it keeps
 * for its own tests (tests/, files .Rout.save).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/test_heap.h"
#include "core/sample/allocate.h"
#include "core/sample/estimate.h"

#define MOST 256
#define COLUMNS 8

static struct puan_arena arena;

static int setup(void **state)
{
    (void)state;
    puan_arena_init(&arena, &puan_test_heap);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    puan_arena_clear(&arena);
    return 0;
}

#define PRINTS(value, format, text)                                            \
    do {                                                                       \
        char got_[64];                                                         \
        snprintf(got_, sizeof(got_), format, (value));                         \
        assert_string_equal(got_, text);                                       \
    } while (0)

/* ---- a table of numbers; letters E H M become 1 2 3 ------------------------
 */

struct table {
    double cell[MOST][COLUMNS];
    uint32_t n;
};

static void load(struct table *t, const char *name)
{
    char path[128], line[512];
    FILE *f;

    snprintf(path, sizeof(path), "test/published/%s", name);
    f = fopen(path, "r");
    assert_non_null(f);
    t->n = 0;
    assert_non_null(fgets(line, sizeof(line), f));
    while (fgets(line, sizeof(line), f)) {
        char *p = line;

        assert_true(t->n < MOST);
        for (unsigned c = 0; c < COLUMNS; c++) {
            static const char letters[] = " EHM";
            const char *at = *p ? strchr(letters + 1, *p) : NULL;

            t->cell[t->n][c] = at ? (double)(at - letters) : strtod(p, NULL);
            while (*p && *p != ',' && *p != '\n')
                p++;
            p += *p != 0;
        }
        t->n++;
    }
    fclose(f);
}

/* A design over rows that stand in the order of strata and primary units.
   Columns below 0 are absent. */
struct built {
    struct puan_design d;
    struct puan_sample_stratum stratum[MOST];
    struct puan_sample_primary primary[MOST];
    double weight[MOST], y[MOST];
    bool in[MOST];
};

static void build(struct built *b, const struct table *t, int stratum,
                  int primary, int weight, int units, int second_units)
{
    *b = (struct built){ 0 };
    for (uint32_t u = 0; u < t->n; u++) {
        const double *r = t->cell[u], *before = u ? t->cell[u - 1] : NULL;
        bool s =
            !before || (stratum >= 0 && fabs(r[stratum] - before[stratum]) > 0);
        bool p = s || primary < 0 || fabs(r[primary] - before[primary]) > 0;

        if (s) {
            b->stratum[b->d.n_strata].first = b->d.n_primary;
            b->stratum[b->d.n_strata].units = units >= 0 ? r[units] : 0;
            b->stratum[b->d.n_strata].label = b->d.n_strata;
            b->d.n_strata++;
        }
        if (p) {
            b->primary[b->d.n_primary].first = u;
            b->primary[b->d.n_primary].units =
                second_units >= 0 ? r[second_units] : 0;
            b->d.n_primary++;
            b->stratum[b->d.n_strata - 1].n++;
        }
        b->primary[b->d.n_primary - 1].n++;
        b->weight[u] = weight >= 0 ? r[weight] : 1;
        b->in[u] = true;
    }
    b->d.stratum = b->stratum;
    b->d.primary = b->primary;
    b->d.weight = b->weight;
    b->d.n_units = t->n;
}

static void take(struct built *b, const struct table *t, int column)
{
    for (uint32_t u = 0; u < t->n; u++)
        b->y[u] = t->cell[u][column];
}

static struct puan_estimate total(const struct built *b)
{
    struct puan_estimate e;
    struct puan_err err = { 0 };

    assert_int_equal(
        puan_estimate_total(&e, &b->d, b->y, b->in, 0.95, &arena, &err),
        PUAN_OK);
    return e;
}

static struct puan_estimate mean(const struct built *b)
{
    struct puan_estimate e;
    struct puan_err err = { 0 };

    assert_int_equal(
        puan_estimate_ratio(&e, &b->d, b->y, NULL, b->in, 0.95, &arena, &err),
        PUAN_OK);
    return e;
}

/* ---- published -------------------------------------------------------------
 */

static struct table t;
static struct built b;

/* survey, tests/testoutput/fpc.Rout.save: mean 5.4481, SE 0.7413 without and
   0.616 with the correction; tests/domain.Rout.save: mean of x above 4. */
static void finite_population_correction(void **state)
{
    (void)state;
    load(&t, "fpc.csv");
    build(&b, &t, 0, 1, 2, -1, -1);
    take(&b, &t, 5);
    PRINTS(mean(&b).value, "%.4f", "5.4481");
    PRINTS(mean(&b).se, "%.4f", "0.7413");
    build(&b, &t, 0, 1, 2, 4, -1);
    take(&b, &t, 5);
    PRINTS(mean(&b).value, "%.4f", "5.4481");
    PRINTS(mean(&b).se, "%.3f", "0.616");
}

static void domain_means(void **state)
{
    (void)state;
    load(&t, "fpc.csv");
    build(&b, &t, 0, 1, 2, -1, -1);
    take(&b, &t, 5);
    for (uint32_t u = 0; u < t.n; u++)
        b.in[u] = b.y[u] > 4;
    PRINTS(mean(&b).value, "%.6f", "6.195000");
    PRINTS(mean(&b).se, "%.7f", "0.7555129");
    for (uint32_t u = 0; u < t.n; u++)
        b.in[u] = b.y[u] <= 4;
    PRINTS(mean(&b).value, "%.6f", "3.314286");
    PRINTS(mean(&b).se, "%.7f", "0.3117042");
}

/* survey, tests/testoutput/api.Rout.saved: stratified sample. */
static void stratified_sample(void **state)
{
    (void)state;
    load(&t, "api_stratified.csv");
    assert_int_equal(t.n, 200);
    /* the file's strata stand E, H, M apart */
    build(&b, &t, 0, -1, 2, 1, -1);
    assert_int_equal(b.d.n_strata, 3);
    take(&b, &t, 3);
    PRINTS(mean(&b).value, "%.2f", "662.29");
    PRINTS(mean(&b).se, "%.4f", "9.4089");
    take(&b, &t, 4);
    PRINTS(total(&b).value, "%.0f", "3687178");
    PRINTS(total(&b).se, "%.0f", "114642");
}

/* survey, example-summary.html: one-stage cluster sample, 15 of 757. */
static void cluster_sample(void **state)
{
    static const char *const share[3][2] = { { "0.786885", "0.0463" },
                                             { "0.076503", "0.0268" },
                                             { "0.136612", "0.0296" } };
    static const char *const sum[3][2] = { { "4873.97", "1333.32" },
                                           { "473.86", "158.70" },
                                           { "846.17", "167.55" } };

    (void)state;
    load(&t, "api_clusters.csv");
    assert_int_equal(t.n, 183);
    build(&b, &t, -1, 0, 2, 1, -1);
    assert_int_equal(b.d.n_primary, 15);
    take(&b, &t, 4);
    PRINTS(mean(&b).value, "%.6f", "644.169399");
    PRINTS(mean(&b).se, "%.4f", "23.5422");
    take(&b, &t, 5);
    PRINTS(total(&b).value, "%.2f", "3404940.13");
    PRINTS(total(&b).se, "%.2f", "932235.03");
    for (unsigned type = 0; type < 3; type++) {
        for (uint32_t u = 0; u < t.n; u++)
            b.y[u] = fabs(t.cell[u][3] - (type + 1.0)) < 0.5;
        PRINTS(mean(&b).value, "%.6f", share[type][0]);
        PRINTS(mean(&b).se, "%.4f", share[type][1]);
        PRINTS(total(&b).value, "%.2f", sum[type][0]);
        PRINTS(total(&b).se, "%.2f", sum[type][1]);
    }
}

/* survey, api.Rout.saved: two stages, 40 of 757 districts; mu284. */
static void two_stage_samples(void **state)
{
    (void)state;
    load(&t, "api_two_stage.csv");
    assert_int_equal(t.n, 126);
    build(&b, &t, -1, 0, 4, 1, 3);
    take(&b, &t, 5);
    PRINTS(mean(&b).value, "%.2f", "670.81");
    PRINTS(mean(&b).se, "%.3f", "30.099");
    load(&t, "mu284.csv");
    build(&b, &t, -1, 0, -1, 1, 3);
    take(&b, &t, 4);
    for (uint32_t u = 0; u < t.n; u++) /* 50/5 · n2/3 */
        b.weight[u] = t.cell[u][1] / 5 * t.cell[u][3] / 3;
    PRINTS(total(&b).value, "%.0f", "15080");
    PRINTS(total(&b).se, "%.1f", "2274.3");
    PRINTS(total(&b).se * total(&b).se, "%.0f", "5172234");
}

/* survey, pps.Rout.save: 40 counties, with Brewer's approximation and as if
   with replacement. */
static void unequal_probabilities(void **state)
{
    static const char *const want[3][3] = {
        { "64518472", "2447629", "2671455" },
        { "51202102", "2450787", "2679433" },
        { "478530", "102420", "105303" }
    };

    (void)state;
    load(&t, "election_pps.csv");
    for (int who = 0; who < 3; who++) {
        build(&b, &t, -1, -1, 1, -1, -1);
        take(&b, &t, 2 + who);
        /* the source rounds to one decimal first: 478530.52, .5, 478530 */
        PRINTS(rint(10 * total(&b).value) / 10, "%.0f", want[who][0]);
        PRINTS(total(&b).se, "%.0f", want[who][2]);
        b.d.drawn = PUAN_DRAWN_UNEQUAL;
        for (uint32_t u = 0; u < t.n; u++)
            b.primary[u].p = t.cell[u][0];
        PRINTS(total(&b).se, "%.0f", want[who][1]);
    }
}

/* survey, tests/lonely.psu.Rout.save: variance of a total where a stratum has
   a single primary unit: 126625, and 127579.8 when centred on the whole. */
static void a_single_unit_in_a_stratum(void **state)
{
    static const double row[5][3] = { { 1, 10.5, 30.5 },
                                      { 1, 10.5, 40.5 },
                                      { 2, 20, 35 },
                                      { 2, 20, 52 },
                                      { 3, 15, 44 } };
    struct puan_estimate e;
    struct puan_err err = { 0 };

    (void)state;
    t.n = 5;
    for (unsigned i = 0; i < 5; i++)
        for (unsigned c = 0; c < 3; c++)
            t.cell[i][c] = row[i][c];
    build(&b, &t, 0, -1, 1, -1, -1);
    take(&b, &t, 2);
    assert_int_equal(
        puan_estimate_total(&e, &b.d, b.y, NULL, 0.95, &arena, &err),
        PUAN_EINVAL);
    assert_non_null(strstr(err.text, "stratum at 2"));
    b.d.lonely = PUAN_LONELY_CERTAINTY;
    PRINTS(total(&b).se * total(&b).se, "%.0f", "126625");
    b.d.lonely = PUAN_LONELY_CENTRE;
    PRINTS(total(&b).se * total(&b).se, "%.1f", "127579.8");
    /* two strata have a variance, three are to be represented */
    b.d.lonely = PUAN_LONELY_AVERAGE;
    PRINTS(total(&b).se * total(&b).se, "%.1f", "189937.5");
}

/* survey, tests/deff.Rout.save: ten enterprises (T. Tsuchiya). */
static void design_effects(void **state)
{
    static const double row[10][3] = { { 15, 100, 20 },   { 143, 100, 200 },
                                       { 21, 100, 11 },   { 51, 100, 25 },
                                       { 337, 100, 550 }, { 50, 100, 30 },
                                       { 274, 100, 250 }, { 145, 100, 100 },
                                       { 15, 100, 10 },   { 86, 100, 55 } };

    (void)state;
    t.n = 10;
    for (unsigned i = 0; i < 10; i++)
        for (unsigned c = 0; c < 3; c++)
            t.cell[i][c] = row[i][c];
    build(&b, &t, -1, -1, 1, -1, -1);
    take(&b, &t, 0);
    PRINTS(mean(&b).value, "%.3f", "113.700");
    PRINTS(mean(&b).se, "%.3f", "35.626");
    PRINTS(mean(&b).deff, "%.4f", "1.0101");
    PRINTS(total(&b).value, "%.0f", "113700");
    PRINTS(total(&b).se, "%.0f", "35626");
    PRINTS(total(&b).deff, "%.4f", "1.0101");
    build(&b, &t, -1, -1, 2, -1, -1);
    take(&b, &t, 0);
    PRINTS(mean(&b).value, "%.3f", "243.914");
    PRINTS(mean(&b).se, "%.3f", "48.752");
    PRINTS(total(&b).se, "%.0f", "184965");
    /* printed against sampling with replacement */
    PRINTS(mean(&b).deff * (1 - 10 / 1251.0), "%.4f", "1.9741");
    PRINTS(total(&b).deff * (1 - 10 / 1251.0), "%.3f", "18.157");
}

/*
 * SAS/STAT User's Guide, The SURVEYMEANS Procedure, "Simple Random Sampling":
 * 40 of 4,000 pupils.  The confidence limits take Student's t of 39 degrees of
 * freedom.  Here against the formula: s²(1 - f)/n.
 */
static void simple_random_sample(void **state)
{
    static const unsigned char pupil[40][2] = {
        { 7, 7 },  { 7, 7 },  { 8, 12 }, { 9, 10 }, { 7, 1 },  { 7, 10 },
        { 7, 3 },  { 8, 20 }, { 8, 19 }, { 7, 2 },  { 7, 2 },  { 9, 15 },
        { 8, 16 }, { 7, 6 },  { 7, 6 },  { 7, 6 },  { 9, 15 }, { 8, 17 },
        { 8, 14 }, { 9, 8 },  { 9, 8 },  { 9, 7 },  { 7, 3 },  { 7, 12 },
        { 7, 4 },  { 9, 14 }, { 8, 18 }, { 9, 9 },  { 7, 2 },  { 7, 1 },
        { 7, 4 },  { 7, 11 }, { 9, 8 },  { 8, 10 }, { 8, 13 }, { 7, 2 },
        { 9, 6 },  { 9, 11 }, { 7, 2 },  { 7, 9 }
    };
    double s = 0, s2 = 0, want;

    (void)state;
    t.n = 40;
    for (unsigned i = 0; i < 40; i++) {
        t.cell[i][0] = 4000;
        t.cell[i][1] = pupil[i][1];
        s += pupil[i][1];
        s2 += pupil[i][1] * pupil[i][1];
    }
    build(&b, &t, -1, -1, -1, 0, -1);
    take(&b, &t, 1);
    want = sqrt((s2 - s * s / 40) / 39 * (1 - 0.01) / 40);
    assert_true(fabs(mean(&b).se - want) < 1e-12);
    assert_true(fabs(mean(&b).value - s / 40) < 1e-12);
    assert_true(fabs(mean(&b).df - 39) < 1e-12);
    assert_true(fabs((mean(&b).high - mean(&b).value) / want -
                     puan_t_quantile(0.975, 39)) < 1e-9);
}

/*
 * Lehtonen and Pahkinen, Practical Methods for Design and Analysis of Complex
 * Surveys, table 2.6 as printed by UCLA's "How do I analyze survey data with a
 * systematic sample design?": total 23580, SE 11801, coefficient of variation
 * 0.500487.  Eight of 32 municipalities, a quarter of each of two implicit
 * strata.
 */
static void systematic_sample_as_printed(void **state)
{
    static const double unemployed[8] = {
        4123, 721, 194, 129, 239, 61, 262, 166
    };

    (void)state;
    t.n = 8;
    for (unsigned i = 0; i < 8; i++) {
        t.cell[i][0] = i < 2 ? 8 : 24; /* a quarter of each stratum */
        t.cell[i][1] = 4;
        t.cell[i][2] = unemployed[i];
    }
    build(&b, &t, 0, -1, 1, 0, -1);
    assert_int_equal(b.d.n_strata, 2);
    take(&b, &t, 2);
    PRINTS(total(&b).value, "%.0f", "23580");
    PRINTS(total(&b).se, "%.0f", "11801");
    PRINTS(total(&b).cv, "%.6f", "0.500487");
}

/* PracTools (Valliant, Dever, Kreuter), vignette "Sample sizes for
   single-stage designs", strAlloc: hospitals. */
static void allocations(void **state)
{
    static const double units[6] = { 215, 65, 252, 50, 149, 144 };
    static const double sd[6] = { 26787207, 10645109, 6909676,
                                  11085034, 9817762,  44553355 };
    static const double cost[6] = { 1400, 200, 300, 600, 450, 1000 };
    static const char *const neyman[6] = {
        "34.641683", "4.161947", "10.473487",
        "3.333804",  "8.798970", "38.590108"
    };
    static const char *const spent[6] = {
        "30.605403", "9.728474",  "19.989127",
        "4.499121",  "13.711619", "40.340301"
    };
    static const char *const varied[6] = {
        "104.54922", "33.23283", "68.28362", "15.36917", "46.83941", "137.80400"
    };
    struct puan_stratum_size s[6];
    double out[6], v = 0.05 * 11664181;
    uint32_t whole[6], all = 0;
    struct puan_err err = { 0 };

    (void)state;
    for (unsigned h = 0; h < 6; h++)
        s[h] = (struct puan_stratum_size){ units[h], sd[h], cost[h], 0 };
    assert_true(puan_allocate(out, s, 6, PUAN_ALLOCATE_NEYMAN, 100));
    for (unsigned h = 0; h < 6; h++)
        PRINTS(out[h], "%.6f", neyman[h]);
    PRINTS(puan_allocated_error(out, s, 6), "%.0f", "1727173");
    puan_allocate(out, s, 6, PUAN_ALLOCATE_COST,
                  puan_size_for_budget(s, 6, 100000));
    for (unsigned h = 0; h < 6; h++)
        PRINTS(out[h], "%.6f", spent[h]);
    PRINTS(puan_allocated_error(out, s, 6), "%.0f", "1636053");
    puan_allocate(out, s, 6, PUAN_ALLOCATE_COST,
                  puan_size_for_variance(s, 6, v * v));
    for (unsigned h = 0; h < 6; h++)
        PRINTS(out[h], "%.5f", varied[h]);
    PRINTS(puan_allocated_error(out, s, 6), "%.1f", "583209.1");
    /* whole numbers: they add up, and stay within the strata */
    puan_allocate(out, s, 6, PUAN_ALLOCATE_NEYMAN, 400);
    assert_int_equal(
        puan_allocate_whole(whole, out, s, 6, 400, 2, &arena, &err), PUAN_OK);
    for (unsigned h = 0; h < 6; h++) {
        assert_true(whole[h] >= 2 && whole[h] <= units[h]);
        all += whole[h];
    }
    assert_int_equal(all, 400);
    assert_int_equal(whole[5], 144); /* 154 would be its share */
    assert_int_equal(
        puan_allocate_whole(whole, out, s, 6, 900, 2, &arena, &err),
        PUAN_EINVAL);
}

/* Student, "The probable error of a mean" and every table since: two-sided
   5 % points 12.706, 2.571, 2.228, 2.042, 1.960; one-sided 1 % of 7: 2.998. */
static void quantiles(void **state)
{
    (void)state;
    PRINTS(puan_t_quantile(0.975, 1), "%.3f", "12.706");
    PRINTS(puan_t_quantile(0.975, 5), "%.3f", "2.571");
    PRINTS(puan_t_quantile(0.975, 10), "%.3f", "2.228");
    PRINTS(puan_t_quantile(0.975, 30), "%.3f", "2.042");
    PRINTS(puan_t_quantile(0.99, 7), "%.3f", "2.998");
    PRINTS(puan_t_quantile(0.025, 10), "%.3f", "-2.228");
    PRINTS(puan_normal_quantile(0.975), "%.6f", "1.959964");
    assert_true(fabs(puan_normal_quantile(0.5)) < 1e-12);
    PRINTS(puan_t_quantile(0.975, 0), "%.6f", "1.959964");
}

/* Successive differences by hand: values 1 2 4 7, weight 10, f = 0.1:
   0.9 · 4 / (2 · 3) · 100 · (1 + 4 + 9). */
static void successive_differences(void **state)
{
    static const double value[4] = { 1, 2, 4, 7 };

    (void)state;
    t.n = 4;
    for (unsigned i = 0; i < 4; i++) {
        t.cell[i][0] = 40;
        t.cell[i][1] = 10;
        t.cell[i][2] = value[i];
    }
    build(&b, &t, -1, -1, 1, 0, -1);
    take(&b, &t, 2);
    b.d.drawn = PUAN_DRAWN_SYSTEMATIC;
    PRINTS(total(&b).se * total(&b).se, "%.6f", "840.000000");
}

/* A census has no sampling error. */
static void all_taken_is_without_error(void **state)
{
    (void)state;
    t.n = 4;
    for (unsigned i = 0; i < 4; i++) {
        t.cell[i][0] = 4;
        t.cell[i][1] = 1;
        t.cell[i][2] = i;
    }
    build(&b, &t, -1, -1, 1, 0, -1);
    take(&b, &t, 2);
    PRINTS(total(&b).se, "%.9f", "0.000000000");
    for (unsigned i = 0; i < 4; i++)
        b.in[i] = false;
    assert_false(mean(&b).given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finite_population_correction),
        cmocka_unit_test(domain_means),
        cmocka_unit_test(stratified_sample),
        cmocka_unit_test(cluster_sample),
        cmocka_unit_test(two_stage_samples),
        cmocka_unit_test(unequal_probabilities),
        cmocka_unit_test(a_single_unit_in_a_stratum),
        cmocka_unit_test(design_effects),
        cmocka_unit_test(simple_random_sample),
        cmocka_unit_test(systematic_sample_as_printed),
        cmocka_unit_test(allocations),
        cmocka_unit_test(quantiles),
        cmocka_unit_test(successive_differences),
        cmocka_unit_test(all_taken_is_without_error),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
