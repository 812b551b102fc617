/*
 * Tests of the age indices against published worked examples, to every digit
 * printed there.  "DemoTools" is the reference manual of the R package of the
 * United Nations Population Division (github.com/timriffe/DemoTools,
 * docs/reference), whose pages print data and results; PAS are the spreadsheets
 * of the United States Census Bureau it takes data and results from.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "core/evaluate/age.h"
#include "core/evaluate/agesex.h"

/* PAS, sheet SINGAGE, males, ages 0..99 (DemoTools: pop1m_pasex). */
static const double pasex_males[100] = {
    80626, 95823, 104315, 115813, 100796, 105086, 97266, 116328, 75984, 89982,
    95525, 56973, 78767,  65672,  53438,  85014,  47600, 64363,  42195, 42262,
    73221, 30080, 34391,  29072,  20531,  66171,  24029, 44227,  24128, 23599,
    82088, 16454, 22628,  17108,  12531,  57325,  17220, 28425,  16206, 17532,
    65976, 11593, 15828,  13541,  8133,   44696,  11165, 18543,  12614, 12041,
    55798, 9324,  10772,  10453,  6773,   28358,  9916,  13348,  8039,  7583,
    42470, 5288,  5317,   6582,   3361,   17949,  3650,  5873,   3279,  3336,
    27368, 1965,  2495,   2319,   1335,   12022,  1401,  1668,   1360,  1185,
    9167,  424,   568,    462,    282,    6206,   343,   409,    333,   291,
    4137,  133,   169,    157,    89,     2068,   68,    81,     66,    57,
};

/* Males by single age, ages 0..99 closed and 100 and over (DemoTools:
   pop1m_ind, India 1991). */
static const double india_males[101] = {
    9544406,  7471790,  11590109, 11881844, 11872503, 12968350, 11993151,
    10033918, 14312222, 8111523,  15311047, 6861510,  13305117, 7454575,
    9015381,  10325432, 9055588,  5519173,  12546779, 4784102,  13365429,
    4630254,  9595545,  4727963,  5195032,  15061479, 5467392,  4011539,
    8033850,  1972327,  17396266, 1647397,  6539557,  2233521,  2101024,
    16768198, 3211834,  1923169,  4472854,  1182245,  15874081, 1017752,
    3673865,  1247304,  1029243,  12619050, 1499847,  1250321,  2862148,
    723195,   12396632, 733501,   2186678,  777379,   810700,   7298270,
    1116032,  650402,   1465209,  411834,   9478824,  429296,   1190060,
    446290,   362767,   4998209,  388753,   334629,   593906,   178133,
    4560342,  179460,   481230,   159087,   155831,   1606147,  166763,
    93569,    182238,   53567,    1715697,  127486,   150782,   52332,
    48664,    456387,   46978,    34448,    44015,    19172,    329149,
    48004,    28574,    9200,     7003,     75195,    13140,    5889,
    18915,    21221,    72373,
};

/* PAS, sheet AGESEX: five-year groups 0-4 … 70-74, 75 and over. */
static const double agesex_males[16] = { 4677000, 4135000, 3825000, 3647000,
                                         3247000, 2802000, 2409000, 2212000,
                                         1786000, 1505000, 1390000, 984000,
                                         745000,  537000,  346000,  335000 };
static const double agesex_females[16] = { 4544000, 4042000, 3735000, 3647000,
                                           3309000, 2793000, 2353000, 2112000,
                                           1691000, 1409000, 1241000, 887000,
                                           697000,  525000,  348000,  366000 };

static const struct puan_ages pasex = { pasex_males, 100 };

/* The value prints as the source prints it. */
#define PRINTS(value, format, text)                                            \
    do {                                                                       \
        char got_[64];                                                         \
        snprintf(got_, sizeof(got_), format, (value));                         \
        assert_string_equal(got_, text);                                       \
    } while (0)

/* DemoTools, check_heaping_whipple; the first is SINGAGE's own 2.34. */
static void whipple(void **state)
{
    struct puan_index w = puan_whipple(pasex, 25, 60, PUAN_DIGITS_FIVES);

    (void)state;
    assert_true(w.given);
    PRINTS(w.value / 100, "%.5f", "2.33873");
    PRINTS(w.value / 100, "%.2f", "2.34");
    assert_int_equal(w.low, 23);
    assert_int_equal(w.high, 62);
    PRINTS(puan_whipple(pasex, 25, 60, 0).value / 100, "%.6f", "2.601614");
    PRINTS(puan_whipple(pasex, 25, 60, 5).value / 100, "%.6f", "1.786339");
    PRINTS(puan_whipple(pasex, 25, 60, 3).value / 100, "%.7f", "0.5561028");
}

/* DemoTools, check_heaping_myers. */
static void myers(void **state)
{
    double digit[10], all = 0;

    (void)state;
    PRINTS(puan_myers(NULL, pasex, 10, 89).value, "%.5f", "23.62787");
    PRINTS(puan_myers(digit, pasex, 23, 82).value, "%.4f", "29.7444");
    for (unsigned d = 0; d < 10; d++)
        all += digit[d];
    PRINTS(all, "%.9f", "100.000000000");
    assert_true(digit[0] > digit[5] && digit[5] > digit[8]);
}

/* DemoTools, check_heaping_bachi: SINGAGE's males; India. */
static void bachi(void **state)
{
    struct puan_ages india = { india_males, 100 };

    (void)state;
    PRINTS(puan_bachi(NULL, pasex, 23, 77).value, "%.5f", "28.93849");
    PRINTS(puan_bachi(NULL, india, 23, 77).value, "%.4f", "41.2661");
}

/* DemoTools, check_heaping_noumbissi: all ten digits. */
static void noumbissi(void **state)
{
    static const struct {
        const char *format, *text;
    } want[10] = { { "%.6f", "2.239127" },  { "%.7f", "0.5679979" },
                   { "%.7f", "0.7653283" }, { "%.7f", "0.7533247" },
                   { "%.7f", "0.5206658" }, { "%.6f", "2.040742" },
                   { "%.7f", "0.6597471" }, { "%.6f", "1.077396" },
                   { "%.7f", "0.5700284" }, { "%.7f", "0.5895384" } };

    (void)state;
    for (unsigned d = 0; d < 10; d++) {
        struct puan_index w = puan_noumbissi(pasex, 20 + d, 50 + d, d);
        char got[64];

        assert_true(w.given);
        snprintf(got, sizeof(got), d == 0 || d == 5 || d == 7 ? "%.6f" : "%.7f",
                 w.value / 100);
        assert_string_equal(got, want[d].text);
    }
}

/* DemoTools: check_heaping_spoorenberg, _coale_li, _kannisto. */
static void other_indices(void **state)
{
    (void)state;
    PRINTS(puan_spoorenberg(pasex, 20, 64).value, "%.6f", "5.066123");
    PRINTS(puan_coale_li(pasex, 65, 95, 0).value, "%.6f", "3.707479");
    PRINTS(puan_coale_li(pasex, 65, 95, 5).value, "%.6f", "3.470823");
    PRINTS(puan_kannisto(pasex, 90).value, "%.5f", "10.61044");
    PRINTS(puan_kannisto(pasex, 95).value, "%.5f", "11.89005");
}

/* DemoTools, check_heaping_jdanov: deaths at ages 93..107 of its example. */
static void jdanov(void **state)
{
    static const double tail[15] = { 924, 667, 465, 287, 189, 125, 99, 80,
                                     24,  10,  7,   3,   1,   0,   1 };
    static const unsigned at[3] = { 95, 100, 105 };
    double deaths[108] = { 0 };
    struct puan_ages a = { deaths, 108 };

    (void)state;
    for (unsigned i = 0; i < 15; i++)
        deaths[93 + i] = tail[i];
    PRINTS(puan_jdanov(a, at, 3).value, "%.5f", "94.72588");
}

/* No preference, the same number at every age: every index at its floor. */
static void even_ages_have_no_heaping(void **state)
{
    double n[100];
    struct puan_ages a = { n, 100 };

    (void)state;
    for (unsigned x = 0; x < 100; x++)
        n[x] = 10;
    PRINTS(puan_whipple(a, 25, 65, PUAN_DIGITS_FIVES).value, "%.9f",
           "100.000000000");
    PRINTS(puan_myers(NULL, a, 23, 82).value, "%.9f", "0.000000000");
    PRINTS(puan_bachi(NULL, a, 23, 77).value, "%.9f", "0.000000000");
    PRINTS(puan_noumbissi(a, 25, 65, 0).value, "%.9f", "100.000000000");
    PRINTS(puan_spoorenberg(a, 20, 64).value, "%.9f", "0.000000000");
    PRINTS(puan_coale_li(a, 60, 89, 0).value, "%.9f", "1.000000000");
    PRINTS(puan_kannisto(a, 90).value, "%.9f", "1.000000000");
}

/* Everyone at ages ending in 0: every index at its ceiling. */
static void ages_of_one_digit(void **state)
{
    double n[100] = { 0 };
    struct puan_ages a = { n, 100 };

    (void)state;
    for (unsigned x = 0; x < 100; x += 10)
        n[x] = 100;
    PRINTS(puan_myers(NULL, a, 20, 89).value, "%.4f", "90.0000");
    PRINTS(puan_bachi(NULL, a, 23, 77).value, "%.4f", "90.0000");
    PRINTS(puan_whipple(a, 20, 60, 0).value > 900 ? 1.0 : 0.0, "%.0f", "1");
}

/* The limits follow the open age group, and are told; nothing is counted that
   is not closed; too few ages give no index instead of a wrong one. */
static void limits_follow_the_open_group(void **state)
{
    struct puan_ages young = { pasex_males, 60 }, few = { pasex_males, 26 };
    struct puan_index w = puan_whipple(young, 25, 60, PUAN_DIGITS_FIVES);
    double changed[100];
    struct puan_ages open = { changed, 60 };

    (void)state;
    assert_true(w.given);
    assert_int_equal(w.to, 55);
    assert_int_equal(w.high, 57);
    for (unsigned x = 0; x < 100; x++)
        changed[x] = x < 60 ? pasex_males[x] : 1e9;
    assert_true(fabs(puan_whipple(open, 25, 60, PUAN_DIGITS_FIVES).value -
                     w.value) < 1e-9);
    assert_true(fabs(puan_myers(NULL, open, 23, 82).value -
                     puan_myers(NULL, young, 23, 82).value) < 1e-9);
    assert_int_equal(puan_myers(NULL, young, 23, 82).to, 52);
    assert_int_equal(puan_bachi(NULL, young, 23, 77).to, 57);
    assert_false(puan_whipple(few, 25, 60, PUAN_DIGITS_FIVES).given);
    assert_false(puan_myers(NULL, few, 23, 82).given);
    assert_false(puan_bachi(NULL, few, 23, 77).given);
    assert_false(puan_noumbissi(few, 25, 60, 0).given);
    assert_false(puan_spoorenberg(few, 25, 60).given);
    assert_false(puan_coale_li(few, 60, 90, 0).given);
    assert_false(puan_kannisto(few, 90).given);
    assert_false(puan_whipple((struct puan_ages){ pasex_males, 0 }, 25, 60,
                              PUAN_DIGITS_FIVES)
                     .given);
}

static void digit_shares(void **state)
{
    const double even[10] = { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 };
    const double odd[10] = { 55, 5, 5, 5, 5, 5, 5, 5, 5, 5 };
    struct puan_digit_shares s;

    (void)state;
    puan_digit_shares(&s, even);
    PRINTS(s.chi_square, "%.6f", "0.000000");
    puan_digit_shares(&s, odd);
    PRINTS(s.share[0], "%.1f", "55.0");
    PRINTS(s.dissimilarity, "%.1f", "45.0");
    /* (55 - 10)² / 10 + 9 · (5 - 10)² / 10 */
    PRINTS(s.chi_square, "%.1f", "225.0");
}

/*
 * PAS, AGESEX: age ratio scores 3.907 and 3.655, sex ratio score 2.249,
 * accuracy index 14.308; DemoTools ageRatioScore prints 3.90667, 3.655353 and
 * for the other methods 1.834906, 2.442891.
 */
static void united_nations_scores(void **state)
{
    struct puan_groups g = { agesex_males, agesex_females, 15 };
    struct puan_age_sex s =
        puan_age_sex(g, 0, 14, agesex_males[15] + agesex_females[15]);

    (void)state;
    assert_true(s.given);
    PRINTS(s.male, "%.5f", "3.90667");
    PRINTS(s.female, "%.6f", "3.655353");
    PRINTS(s.sex, "%.5f", "2.24854");
    PRINTS(s.sex, "%.3f", "2.249");
    PRINTS(s.un, "%.4f", "14.3076");
    PRINTS(s.un, "%.3f", "14.308");
    PRINTS(s.zelnik, "%.4f", "11.7875");
    PRINTS(s.ramachandran, "%.4f", "10.5285");
    PRINTS(s.das_gupta, "%.5f", "3.27130");
    PRINTS(s.small, "%.1f", "0.0");
}

/* Das Gupta, Human Biology 27 (1955), table for South West Africa, 1946;
   DemoTools ageSexAccuracyDasGupta prints 5.68162. */
static void das_gupta(void **state)
{
    static const double m[13] = { 2365, 2320, 1859, 1554, 1758, 1534, 1404,
                                  1324, 1118, 872,  795,  745,  743 };
    static const double f[13] = { 2244, 2248, 1773, 1594, 1616, 1510, 1478,
                                  1320, 1085, 858,  768,  726,  533 };
    struct puan_groups g = { m, f, 13 };
    struct puan_age_sex s = puan_age_sex(g, 0, 12, 574 + 282);

    (void)state;
    PRINTS(s.das_gupta, "%.5f", "5.68162");
    /* a small population: 3500 / sqrt(36563) - 3.5 */
    assert_true(s.small > 14 && s.small < 15);
}

/* Siegel and Swanson (2004), table 7.20: 5.5 and 6.7. */
static void distances_of_distributions(void **state)
{
    static const double a[9] = { 7.38,  14.16, 14.79, 17.36, 15.11,
                                 10.14, 8.50,  7.28,  5.28 };
    static const double b[9] = { 6.48,  12.27, 15.25, 15.10, 14.66,
                                 10.80, 8.95,  9.28,  7.21 };

    (void)state;
    PRINTS(puan_dissimilarity(a, b, 9), "%.1f", "5.5");
    PRINTS(puan_relative_difference(a, b, 9), "%.6f", "6.693219");
    PRINTS(puan_relative_difference(a, b, 9), "%.1f", "6.7");
    PRINTS(puan_dissimilarity(a, a, 9), "%.9f", "0.000000000");
}

/*
 * Feeney, "Removing Zigzag from Age Data" (2013): the spreadsheet's deaths and
 * shares moved; its sum 106.1147411629 (DemoTools, test-zigzag.R).
 */
static void zigzag(void **state)
{
    static const double deaths[19] = { 13331 + 4151, 1746,  1585,  3859,  8354,
                                       11146,        12076, 12216, 12016, 12473,
                                       11513,        12899, 11413, 12710, 11516,
                                       11408,        6733,  4031,  2069 };
    static const double p[4] = { 0.0235802695087692, 0.0724286618207911,
                                 0.0242327829742267, 0.0883411499065237 };
    double out[19], before = 0, after = 0;

    (void)state;
    PRINTS(puan_zigzag(out, deaths, 19, 9, p, 4), "%.10f", "106.1147411629");
    for (unsigned i = 0; i < 19; i++) {
        before += deaths[i];
        after += out[i];
    }
    assert_true(fabs(before - after) < 1e-6);
    assert_true(puan_zigzag(NULL, deaths, 17, 9, p, 4) < 0);
}

static void age_ratio(void **state)
{
    (void)state;
    /* 2 · 4135 / (4677 + 3825) */
    PRINTS(puan_age_ratio(agesex_males, 15, 1), "%.4f", "97.2712");
    PRINTS(puan_age_ratio(agesex_males, 15, 0), "%.0f", "0");
    PRINTS(puan_age_ratio(agesex_males, 15, 14), "%.0f", "0");
}

static void empty_groups_give_no_score(void **state)
{
    double m[15], f[15];
    struct puan_groups g = { m, f, 15 };

    (void)state;
    for (unsigned i = 0; i < 15; i++)
        m[i] = f[i] = 100;
    f[7] = 0;
    assert_false(puan_age_sex(g, 0, 14, 0).given);
    assert_true(puan_age_sex(g, 8, 14, 0).given);
    assert_false(puan_age_sex(g, 8, 9, 0).given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whipple),
        cmocka_unit_test(myers),
        cmocka_unit_test(bachi),
        cmocka_unit_test(noumbissi),
        cmocka_unit_test(other_indices),
        cmocka_unit_test(jdanov),
        cmocka_unit_test(even_ages_have_no_heaping),
        cmocka_unit_test(ages_of_one_digit),
        cmocka_unit_test(limits_follow_the_open_group),
        cmocka_unit_test(digit_shares),
        cmocka_unit_test(united_nations_scores),
        cmocka_unit_test(das_gupta),
        cmocka_unit_test(distances_of_distributions),
        cmocka_unit_test(zigzag),
        cmocka_unit_test(age_ratio),
        cmocka_unit_test(empty_groups_give_no_score),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
