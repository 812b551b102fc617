/*
 * Tests of growth and coverage: published examples to every digit printed,
 * and populations made so that the answer is known.  "DemoTools" as in
 * age_test.c; "recapr" is the R package of M. Tyers (vignette
 * recapr_vignette1).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "core/evaluate/dual.h"
#include "core/evaluate/growth.h"

#define PRINTS(value, format, text)                                            \
    do {                                                                       \
        char got_[64];                                                         \
        snprintf(got_, sizeof(got_), format, (value));                         \
        assert_string_equal(got_, text);                                       \
    } while (0)

static bool near(double a, double b, double by)
{
    return fabs(a - b) <= by;
}

/* recapr, vignette: NChapman 725.2381, vChapman 16348.22, seChapman 127.8601,
   ciChapman 474.6368 975.8394; pChapman's estimate 350.7586. */
static void chapman(void **state)
{
    struct puan_two_lists t = puan_two_lists(100, 150, 20, 1.959963984540054);

    (void)state;
    assert_true(t.given);
    PRINTS(t.chapman, "%.4f", "725.2381");
    PRINTS(t.se * t.se, "%.2f", "16348.22");
    PRINTS(t.se, "%.4f", "127.8601");
    PRINTS(t.low, "%.4f", "474.6368");
    PRINTS(t.high, "%.4f", "975.8394");
    PRINTS(t.petersen, "%.1f", "750.0");
    PRINTS(puan_two_lists(100, 100, 28, 2).chapman, "%.4f", "350.7586");
    assert_false(puan_two_lists(10, 20, 11, 2).given);
    PRINTS(puan_two_lists(10, 20, 0, 2).petersen, "%.0f", "0");
}

/* Censuses of Japan (Feeney, CENSUR~1 … ~3; DemoTools, survRatioError, surv10).
 */
static const double japan_1960[17] = { 3831870, 4502304, 5397061, 4630775,
                                       4193184, 4114704, 3770907, 3274822,
                                       2744786, 2559755, 2160716, 1839025,
                                       1494043, 1133409, 870238,  577972,
                                       313781 };
static const double japan_1965[17] = { 3983902, 3854281, 4513237, 5373547,
                                       4572392, 4206801, 4110076, 3751030,
                                       3231736, 2697217, 2485095, 2071540,
                                       1719370, 1343444, 955567,  644043,
                                       341170 };
static const double japan_1970[17] = { 4292503, 3988292, 3852101, 4492096,
                                       5347327, 4571868, 4190340, 4085338,
                                       3674127, 3198934, 2648360, 2382691,
                                       1970485, 1584699, 1172155, 736258,
                                       408191 };
static const double known_1960[17] = { 0,     69.45, 64.62, 59.72, 54.87, 50.11,
                                       45.37, 40.65, 35.99, 31.40, 26.94, 22.64,
                                       18.52, 14.67, 11.20, 8.25,  5.95 };
static const double known_1965[17] = { 0,     70.19, 65.33, 60.41, 55.54, 50.74,
                                       45.96, 41.21, 36.52, 31.89, 27.39, 23.05,
                                       18.89, 14.99, 11.45, 8.43,  6.06 };

static void survivors_of_two_censuses(void **state)
{
    static const char *const want[17] = { "1.0000000", "1.0026398", "1.0052797",
                                          "1.0003666", "0.9960160", "0.9876411",
                                          "0.9953405", "0.9805925", "0.9697951",
                                          "0.9578691", "0.9357256", "0.8916111",
                                          "0.8533437", "0.7683067", "0.6694928",
                                          "0.4990890", "0.3140301" };
    double l[17];

    (void)state;
    assert_true(puan_census_survivors(l, japan_1960, japan_1970, 17, 10));
    for (unsigned i = 0; i < 17; i++)
        PRINTS(l[i], "%.7f", want[i]);
    assert_false(puan_census_survivors(l, japan_1960, japan_1970, 2, 10));
    assert_false(puan_census_survivors(l, japan_1960, japan_1970, 17, 0));
}

static void survival_errors(void **state)
{
    /* 5 October 1960 (day 279 of 366) to 1 October 1970 (274 of 365) */
    const double odd = 10 + 273.0 / 365 - 278.0 / 366;

    (void)state;
    PRINTS(puan_survival_error(japan_1960, japan_1970, known_1960, 17, 10),
           "%.7f", "0.4446597");
    PRINTS(puan_survival_error(japan_1965, japan_1970, known_1965, 17, 5),
           "%.7f", "0.3964347");
    PRINTS(puan_survival_error(japan_1960, japan_1970, known_1960, 17, odd),
           "%.5f", "1.06783");
}

static void growth_rates(void **state)
{
    struct puan_balance b;

    (void)state;
    /* China 2010 to 2020, National Bureau of Statistics, bulletin 2 of 11 May
       2021: 1,339,724,852 and 1,411,778,724, "0.53 per cent a year" */
    PRINTS(puan_growth_yearly(1339724852, 1411778724, 10), "%.2f", "0.53");
    PRINTS(puan_growth_exponential(100, 100 * exp(0.5), 10), "%.6f",
           "5.000000");
    PRINTS(puan_growth_exponential(0, 5, 10), "%.0f", "0");
    b = puan_balance_of(1000, 1090, 150, 80, 10);
    PRINTS(b.expected, "%.0f", "1080");
    PRINTS(b.residual, "%.0f", "10");
    PRINTS(b.percent, "%.4f", "0.9174");
}

static void cohorts(void **state)
{
    double r[17];

    (void)state;
    puan_cohort_ratios(r, japan_1960, japan_1970, 17, 2);
    PRINTS(r[0], "%.7f", "1.0052797");
}

/*
 * A population closed to migration, by single days of age in effect: a life
 * table of Gompertz's law, growth by age of the kind a past boom leaves, ten
 * years, deaths registered to 80 %, the second census to 97 %.  The method's
 * own approximations leave one to three per cent.
 */
static double living(double age, double time)
{
    const double a = 0.0002, b = 0.09;
    double born = time - age;

    return exp(0.015 * born + 0.1 * sin(born / 9)) *
           exp(-a / b * (exp(b * age) - 1));
}

static void growth_balance_finds_what_was_planted(void **state)
{
    enum { GROUPS = 18 };
    double p1[GROUPS] = { 0 }, p2[GROUPS] = { 0 }, d[GROUPS] = { 0 };
    double true2[GROUPS], true_d[GROUPS];
    struct puan_growth_balance g, best;
    const double step = 0.05;

    (void)state;
    for (double x = step / 2; x < 110; x += step) {
        unsigned i = x / 5 < GROUPS ? (unsigned)(x / 5) : GROUPS - 1;

        p1[i] += 1e6 * step * living(x, 0);
        p2[i] += 0.97 * 1e6 * step * living(x, 10);
        for (double t = step / 2; t < 10; t += step)
            d[i] +=
                0.8 * 1e6 * step * step * 0.0002 * exp(0.09 * x) * living(x, t);
    }
    g = puan_growth_balance(p1, p2, d, NULL, GROUPS, 10, 1, 15);
    assert_true(g.given);
    assert_true(near(g.relative, 1 / 0.97, 0.01));
    assert_true(near(g.deaths, 0.8, 0.03));
    assert_true(g.r2 > 0.995);
    /* against the same population told without error */
    for (unsigned i = 0; i < GROUPS; i++) {
        true2[i] = p2[i] / 0.97;
        true_d[i] = d[i] / 0.8;
    }
    best = puan_growth_balance(p1, true2, true_d, NULL, GROUPS, 10, 1, 15);
    assert_true(near(best.relative, 1, 0.01));
    assert_true(near(best.deaths, 1, 0.03));
    assert_true(near(g.relative / best.relative, 1 / 0.97, 0.001));
    assert_true(near(g.deaths / best.deaths, 0.8, 0.005));
    /* migrants that are told leave the answer alone */
    for (unsigned i = 4; i < 8; i++)
        p2[i] += 1000;
    {
        double m[GROUPS] = { 0 };

        for (unsigned i = 4; i < 8; i++)
            m[i] = 1000;
        assert_true(
            near(puan_growth_balance(p1, p2, d, m, GROUPS, 10, 1, 15).relative,
                 g.relative, 0.002));
    }
    assert_false(puan_growth_balance(p1, p2, d, NULL, GROUPS, 10, 0, 15).given);
    assert_false(puan_growth_balance(p1, p2, d, NULL, GROUPS, 10, 1, 18).given);
}

/* 1,000 stayed (950 matched), 50 moved out (40 matched), 80 moved in. */
static void the_three_procedures_for_movers(void **state)
{
    struct puan_coverage t = { .stayed = 1000,
                               .stayed_matched = 950,
                               .out = 50,
                               .out_matched = 40,
                               .in = 80,
                               .in_matched = 60,
                               .records = 500,
                               .correct = 490,
                               .duplicate = 6,
                               .erroneous = 4 };
    struct puan_dual d;

    (void)state;
    d = puan_dual(&t, 20000, 0, PUAN_MOVERS_A);
    PRINTS(d.persons, "%.0f", "1050");
    PRINTS(d.matched, "%.0f", "990");
    PRINTS(d.estimate, "%.4f", "20787.8788"); /* 20000·.98·1050/990 */
    d = puan_dual(&t, 20000, 0, PUAN_MOVERS_B);
    PRINTS(d.matched, "%.0f", "1010");
    d = puan_dual(&t, 20000, 0, PUAN_MOVERS_C);
    PRINTS(d.persons, "%.0f", "1080");
    PRINTS(d.matched, "%.0f", "1014"); /* 950 + 80 · 40/50 */
    PRINTS(d.omission_rate, "%.4f", "6.1111");
    PRINTS(d.duplicate_rate, "%.2f", "1.20");
    PRINTS(d.erroneous_rate, "%.2f", "0.80");
    /* what was missed less what was counted wrongly is the net undercount */
    PRINTS(d.omission_rate - 100 * 0.02 * 20000 / d.estimate - d.net_rate,
           "%.9f", "0.000000000");
    PRINTS(puan_dual(&t, 20000, 1000, PUAN_MOVERS_A).estimate, "%.4f",
           "19748.4848");
    assert_false(puan_dual(&t, 10, 20, PUAN_MOVERS_A).given);
    t.stayed_matched = t.out_matched = 0;
    assert_false(puan_dual(&t, 20000, 0, PUAN_MOVERS_C).given);
}

/* Nobody moved out: those who came are no proof that they were missed. */
static void without_out_movers_the_stayed_stand_for_them(void **state)
{
    const struct puan_coverage t = { .stayed = 1000, .stayed_matched = 950,
                                     .in = 80 };
    const struct puan_coverage only = { .in = 80 };
    const struct puan_coverage u[] = { { .stayed = 1 },
                                       { .stayed_matched = 1 },
                                       { .in = 1 } };
    const double h = 1e-4;
    struct puan_dual d = puan_dual(&t, 20000, 0, PUAN_MOVERS_C);

    (void)state;
    PRINTS(d.persons, "%.0f", "1080");
    PRINTS(d.matched, "%.0f", "1026"); /* 1080 · 950/1000 */
    PRINTS(d.omission_rate, "%.4f", "5.0000");
    assert_false(puan_dual(&only, 20000, 0, PUAN_MOVERS_C).given);
    for (size_t i = 0; i < PUAN_COUNT(u); i++) {
        struct puan_coverage more = t;
        struct puan_dual e;

        more.stayed += h * u[i].stayed;
        more.stayed_matched += h * u[i].stayed_matched;
        more.in += h * u[i].in;
        e = puan_dual(&more, 20000, 0, PUAN_MOVERS_C);
        assert_true(near((e.estimate - d.estimate) / h,
                         puan_dual_linear(&t, &u[i], &d, PUAN_MOVERS_C), 1e-3));
        assert_true(near((e.omission_rate - d.omission_rate) / h,
                         puan_omission_linear(&t, &u[i], &d, PUAN_MOVERS_C),
                         1e-4));
    }
}

/* The linearized values are the derivatives of the estimate. */
static void linear_is_the_derivative(void **state)
{
    const struct puan_coverage t = {
        1000, 950, 50, 40, 80, 60, 500, 490, 6, 4
    };
    const double h = 1e-4;

    (void)state;
    for (int how = PUAN_MOVERS_A; how <= PUAN_MOVERS_C; how++)
        for (unsigned field = 0; field < 10; field++) {
            struct puan_coverage u = { 0 }, more = t;
            double *part[10] = { &u.stayed,    &u.stayed_matched,
                                 &u.out,       &u.out_matched,
                                 &u.in,        &u.in_matched,
                                 &u.records,   &u.correct,
                                 &u.duplicate, &u.erroneous };
            double *grown[10] = { &more.stayed,    &more.stayed_matched,
                                  &more.out,       &more.out_matched,
                                  &more.in,        &more.in_matched,
                                  &more.records,   &more.correct,
                                  &more.duplicate, &more.erroneous };
            enum puan_movers m = (enum puan_movers)how;
            struct puan_dual d = puan_dual(&t, 20000, 0, m), e;

            *part[field] = 1;
            *grown[field] += h;
            e = puan_dual(&more, 20000, 0, m);
            assert_true(near((e.estimate - d.estimate) / h,
                             puan_dual_linear(&t, &u, &d, m), 1e-2));
            assert_true(near((e.omission_rate - d.omission_rate) / h,
                             puan_omission_linear(&t, &u, &d, m), 1e-4));
        }
}

/* Two lists drawn at random of a known population: the estimate is unbiased
   and its error what the formula says. */
static void chapman_in_simulation(void **state)
{
    enum { N = 800, TRIALS = 4000 };
    uint64_t s = 20301101;
    double sum = 0, sum2 = 0, said = 0;

    (void)state;
    for (unsigned k = 0; k < TRIALS; k++) {
        unsigned n1 = 0, n2 = 0, m = 0;
        struct puan_two_lists t;

        for (unsigned i = 0; i < N; i++) {
            bool one, two;

            s = s * 6364136223846793005u + 1442695040888963407u;
            one = (s >> 40) % 1000 < 600;
            s = s * 6364136223846793005u + 1442695040888963407u;
            two = (s >> 40) % 1000 < 400;
            n1 += one;
            n2 += two;
            m += one && two;
        }
        t = puan_two_lists(n1, n2, m, 2);
        sum += t.chapman;
        sum2 += t.chapman * t.chapman;
        said += t.se * t.se;
    }
    assert_true(near(sum / TRIALS, N, 3));
    assert_true(near(sqrt(said / TRIALS) /
                         sqrt(sum2 / TRIALS - sum / TRIALS * (sum / TRIALS)),
                     1, 0.05));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chapman),
        cmocka_unit_test(survivors_of_two_censuses),
        cmocka_unit_test(survival_errors),
        cmocka_unit_test(growth_rates),
        cmocka_unit_test(cohorts),
        cmocka_unit_test(growth_balance_finds_what_was_planted),
        cmocka_unit_test(the_three_procedures_for_movers),
        cmocka_unit_test(without_out_movers_the_stayed_stand_for_them),
        cmocka_unit_test(linear_is_the_derivative),
        cmocka_unit_test(chapman_in_simulation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
