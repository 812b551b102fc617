/* Every index of one area; bands. */
#include "features/evaluate/indices.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/evaluate/age.h"
#include "core/evaluate/agesex.h"
#include "kit/sheet/sheet.h"

const struct puan_measure_name puan_measure_names[PUAN_MEASURES] = {
    [PUAN_M_PERSONS] = { "persons", "人数", "Persons", 0, false },
    [PUAN_M_SEX_RATIO] = { "sex_ratio", "性别比", "Sex ratio", 2, false },
    [PUAN_M_SEX_RATIO_0] = { "sex_ratio_0", "0岁性别比", "Sex ratio at age 0",
                             2, false },
    [PUAN_M_INFANTS] = { "infants", "0岁×4÷1–4岁", "Age 0 x 4 / ages 1-4", 4,
                         false },
    [PUAN_M_SHARE_0_14] = { "share_0_14", "0–14岁比重 %", "Share aged 0-14 %",
                            2, false },
    [PUAN_M_SHARE_65] = { "share_65", "65岁及以上比重 %", "Share aged 65+ %", 2,
                          false },
    [PUAN_M_WHIPPLE] = { "whipple", "惠普尔指数（0、5）",
                         "Whipple's index (0, 5)", 2, false },
    [PUAN_M_WHIPPLE_0] = { "whipple_0", "惠普尔指数（0）",
                           "Whipple's index (0)", 2, false },
    [PUAN_M_WHIPPLE_5] = { "whipple_5", "惠普尔指数（5）",
                           "Whipple's index (5)", 2, false },
    [PUAN_M_MYERS] = { "myers", "迈尔斯混合指数", "Myers' blended index", 3,
                       true },
    [PUAN_M_BACHI] = { "bachi", "巴奇指数", "Bachi's index", 3, true },
    [PUAN_M_SPOORENBERG] = { "spoorenberg", "斯波伦贝格指数",
                             "Spoorenberg's index", 4, false },
    [PUAN_M_AGE_RATIO_M] = { "age_ratio_m", "年龄比得分（男）",
                             "Age ratio score, men", 3, false },
    [PUAN_M_AGE_RATIO_F] = { "age_ratio_f", "年龄比得分（女）",
                             "Age ratio score, women", 3, false },
    [PUAN_M_SEX_SCORE] = { "sex_score", "性别比得分", "Sex ratio score", 3,
                           false },
    [PUAN_M_UN] = { "un", "联合国年龄性别准确性指数",
                    "UN age-sex accuracy index", 3, false },
    [PUAN_M_DAS_GUPTA] = { "das_gupta", "达斯古普塔指数", "Das Gupta's index",
                           4, false },
    [PUAN_M_SEX_JUMP] = { "sex_jump", "相邻年龄组性别比最大变动",
                          "Largest change of the sex ratio", 2, false },
    [PUAN_M_MONTHS] = { "months", "出生月份不均", "Months of birth uneven", 3,
                        true },
    [PUAN_M_DIGITS] = { "digits", "末位数字不均", "Last digits uneven", 3,
                        true },
};

#define PI 3.14159265358979323846

/* Mean of half the sum of absolute deviations of k equal shares, per cent, when
   n persons fall to them by chance (normal approximation). */
static double by_chance(double n, double k)
{
    double p = 1 / k;

    return n > 0 ? 50 * k * sqrt(2 / PI) * sqrt(p * (1 - p) / n) : 0;
}

static void put(struct puan_measured *m, double value, double se)
{
    m->given = true;
    m->value = value;
    m->se = se;
}

static void ratio(struct puan_measured *m, double a, double b, double times)
{
    if (a > 0 && b > 0)
        put(m, times * a / b, times * a / b * sqrt(1 / a + 1 / b));
}

static void share(struct puan_measured *m, double part, double all)
{
    double p = all > 0 ? part / all : 0;

    if (all > 0)
        put(m, 100 * p, 100 * sqrt(p * (1 - p) / all));
}

static double sum(const double *v, unsigned from, unsigned to)
{
    double s = 0;

    for (unsigned i = from; i < to; i++)
        s += v[i];
    return s;
}

/* Over both sexes. */
static void single_years(struct puan_measured *out, double *digit,
                         const struct puan_age_area *a,
                         const struct puan_age_data *d)
{
    unsigned closed = d->closed;
    double n[PUAN_AGES];
    struct puan_ages ages = { n, closed };
    static const struct {
        enum puan_measure m;
        unsigned digit;
        double most;
    } whipple[3] = { { PUAN_M_WHIPPLE, PUAN_DIGITS_FIVES, 500 },
                     { PUAN_M_WHIPPLE_0, 0, 1000 },
                     { PUAN_M_WHIPPLE_5, 5, 1000 } };
    struct puan_index i;

    for (unsigned x = 0; x < PUAN_AGES; x++)
        n[x] = a->single[0][x] + a->single[1][x];
    for (unsigned k = 0; k < 3; k++) {
        double p, base;

        i = puan_whipple(ages, 25, 60, whipple[k].digit);
        if (!i.given)
            continue;
        p = i.value / whipple[k].most;
        base = sum(n, i.low, i.high + 1);
        put(&out[whipple[k].m], i.value,
            whipple[k].most * sqrt(p * (1 - p) / base));
        out[whipple[k].m].from = i.low;
        out[whipple[k].m].to = i.high;
    }
    i = puan_myers(digit, ages, d->myers[0], d->myers[1]);
    if (i.given) {
        put(&out[PUAN_M_MYERS], i.value,
            by_chance(sum(n, i.low, i.high + 1), 10));
        out[PUAN_M_MYERS].from = i.low;
        out[PUAN_M_MYERS].to = i.high;
    }
    i = puan_bachi(NULL, ages, 23, 77);
    if (i.given) {
        put(&out[PUAN_M_BACHI], i.value,
            by_chance(sum(n, i.low, i.high + 1), 10));
        out[PUAN_M_BACHI].from = i.low;
        out[PUAN_M_BACHI].to = i.high;
    }
    i = puan_spoorenberg(ages, 20, 64);
    if (i.given) {
        put(&out[PUAN_M_SPOORENBERG], i.value, 0);
        out[PUAN_M_SPOORENBERG].from = i.from;
        out[PUAN_M_SPOORENBERG].to = i.to;
    }
}

static void five_years(struct puan_measured *out, const struct puan_age_area *a,
                       const struct puan_age_data *d)
{
    unsigned closed = d->closed_five;
    struct puan_groups g = { a->five[PUAN_MALE], a->five[PUAN_FEMALE], closed };
    struct puan_age_sex s =
        puan_age_sex(g, d->score[0] / 5, d->score[1] / 5,
                     a->open[PUAN_MALE] + a->open[PUAN_FEMALE]);
    double jump = -1, before = 0;
    unsigned at = 0;

    if (s.given) {
        put(&out[PUAN_M_AGE_RATIO_M], s.male, 0);
        put(&out[PUAN_M_AGE_RATIO_F], s.female, 0);
        put(&out[PUAN_M_SEX_SCORE], s.sex, 0);
        put(&out[PUAN_M_UN], s.un, 0);
        put(&out[PUAN_M_DAS_GUPTA], s.das_gupta, 0);
        for (enum puan_measure m = PUAN_M_AGE_RATIO_M; m <= PUAN_M_DAS_GUPTA;
             m++) {
            out[m].from = 5 * s.first;
            out[m].to = 5 * s.last + 4;
        }
    }
    /* below 75; above it men die out */
    for (unsigned x = 0; x < closed && x < 15; x++) {
        double m = g.male[x], f = g.female[x], r;

        if (m <= 0 || f <= 0) {
            before = 0;
            continue;
        }
        r = 100 * m / f;
        if (before > 0 && fabs(r - before) > jump) {
            jump = fabs(r - before);
            at = x;
        }
        before = r;
    }
    if (jump >= 0) {
        double se = 0;

        for (unsigned x = at - 1; x <= at; x++) {
            double r = 100 * g.male[x] / g.female[x];

            se += r * r * (1 / g.male[x] + 1 / g.female[x]);
        }
        put(&out[PUAN_M_SEX_JUMP], jump, sqrt(se));
        out[PUAN_M_SEX_JUMP].from = 5 * (at - 1);
        out[PUAN_M_SEX_JUMP].to = 5 * at + 4;
    }
}

static void uneven(struct puan_measured *m, const double *v, unsigned k)
{
    double n = sum(v, 0, k), off = 0;

    if (n <= 0)
        return;
    for (unsigned i = 0; i < k; i++)
        off += fabs(100 * v[i] / n - 100.0 / k);
    put(m, off / 2, by_chance(n, k));
}

void puan_measure_area(struct puan_measured *out, double *digit,
                       const struct puan_age_area *a,
                       const struct puan_age_data *d)
{
    const double *m = a->five[PUAN_MALE], *f = a->five[PUAN_FEMALE];
    double all = a->all[0] + a->all[1];

    memset(out, 0, PUAN_MEASURES * sizeof(*out));
    put(&out[PUAN_M_PERSONS], all, 0);
    ratio(&out[PUAN_M_SEX_RATIO], a->all[0], a->all[1], 100);
    if (d->infants) {
        ratio(&out[PUAN_M_SEX_RATIO_0], a->infant[0], a->infant[1], 100);
        ratio(&out[PUAN_M_INFANTS], a->infant[0] + a->infant[1],
              a->toddler[0] + a->toddler[1], 4);
    }
    if (d->closed_five >= 3)
        share(&out[PUAN_M_SHARE_0_14], sum(m, 0, 3) + sum(f, 0, 3), all);
    if (d->closed_five >= 13)
        share(&out[PUAN_M_SHARE_65],
              sum(m, 13, PUAN_FIVES) + sum(f, 13, PUAN_FIVES) + a->open[0] +
                  a->open[1],
              all);
    if (d->single && d->closed)
        single_years(out, digit, a, d);
    five_years(out, a, d);
    if (d->months)
        uneven(&out[PUAN_M_MONTHS], a->month, 12);
    if (d->digits)
        uneven(&out[PUAN_M_DIGITS], a->digit, 10);
}

/* ---- bands ------------------------------------------------------------------
 */

static const char *const columns[8] = { "measure",     "by",
                                        "alarm_below", "note_below",
                                        "note_above",  "alarm_above",
                                        "least",       "source" };

static bool number(double *v, struct puan_str s)
{
    char text[40], *end;

    s = puan_str_trim(s);
    *v = NAN;
    if (s.n == 0)
        return true;
    if (s.n >= sizeof(text))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    *v = strtod(text, &end);
    return *end == '\0' && isfinite(*v);
}

static enum puan_status band_of(struct puan_band *b, const int at[8],
                                const struct puan_csv *csv,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_str name = puan_str_trim(csv->field[at[0]]);
    double last = -INFINITY;
    unsigned m = 0;

    while (m < PUAN_MEASURES && !puan_str_is(name, puan_measure_names[m].name))
        m++;
    if (m == PUAN_MEASURES)
        return puan_fail_at(err, PUAN_EINVAL, csv->file, csv->line,
                            (uint32_t)at[0] + 1,
                            "\"%.*s\" is no measure; the columns of "
                            "puan evaluate --csv are",
                            PUAN_FMT(name));
    b->measure = (enum puan_measure)m;
    b->by = puan_arena_keep(a, puan_str_trim(csv->field[at[1]]));
    for (unsigned i = 0; i < 4; i++) {
        if (!number(&b->limit[i], csv->field[at[2 + i]]) || b->limit[i] < last)
            return puan_fail_at(err, PUAN_EINVAL, csv->file, csv->line,
                                (uint32_t)at[2 + i] + 1,
                                "%s: a number, or nothing, not below the one "
                                "before it",
                                columns[2 + i]);
        if (!isnan(b->limit[i]))
            last = b->limit[i];
    }
    if (!number(&b->least, csv->field[at[6]]))
        return puan_fail_at(err, PUAN_EINVAL, csv->file, csv->line,
                            (uint32_t)at[6] + 1, "least: a number of persons");
    if (isnan(b->least))
        b->least = 0;
    b->source = puan_arena_keep(a, puan_str_trim(csv->field[at[7]]));
    return puan_arena_check(a, err);
}

enum puan_status puan_bands_load(struct puan_bands *out, const char *path,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_sheet *s = NULL;
    int at[8];
    bool more = true;
    enum puan_status st = puan_sheet_open(&s, path, err);
    const size_t most = 1024;

    *out = (struct puan_bands){ 0 };
    out->band = puan_new_n(a, most, struct puan_band);
    for (unsigned i = 0; st == PUAN_OK && i < 8; i++)
        st = puan_sheet_need(&at[i], s, columns[i], err);
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    while (st == PUAN_OK) {
        st = puan_sheet_next(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        if (out->n == most)
            st = puan_fail(err, PUAN_ELIMIT, path, "more than %zu bands", most);
        else
            st = band_of(&out->band[out->n++], at, puan_sheet_row(s), a, err);
    }
    puan_sheet_close(s);
    return st;
}

enum puan_verdict puan_judge(const struct puan_band **band,
                             const struct puan_bands *b, enum puan_measure m,
                             const struct puan_measured *v, struct puan_str by,
                             double persons)
{
    double room = puan_measure_names[m].chance ? v->se : 1.96 * v->se;

    *band = NULL;
    if (!v->given)
        return PUAN_JUDGE_NONE;
    for (size_t i = 0; i < b->n; i++) {
        const struct puan_band *x = &b->band[i];
        bool fits = x->by.n == 0 || puan_str_eq(x->by, by);

        if (x->measure != m || !fits || persons < x->least)
            continue;
        *band = x;
        if (v->value + room < x->limit[0] || v->value - room > x->limit[3])
            return PUAN_JUDGE_ALARM;
        if (v->value + room < x->limit[1] || v->value - room > x->limit[2])
            return PUAN_JUDGE_NOTE;
        return PUAN_JUDGE_GOOD;
    }
    return PUAN_JUDGE_NONE;
}
