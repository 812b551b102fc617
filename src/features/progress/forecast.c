/*
 * The plan's curve and the forecast: numbers only, no clock, no store.
 */
#include "features/progress/internal.h"

#include <stdlib.h>

#include "base/calendar.h"

#define DAY (INT64_C(24) * 3600 * 1000)

/* ---- what was planned ------------------------------------------------------- */

static const struct puan_window *window_of(const struct puan_plan *plan)
{
    const struct puan_setting *x =
        puan_plan_setting(plan, PUAN_STR("progress_window"));
    const struct puan_window *found =
        x ? puan_plan_window(plan, x->text) : NULL;

    for (size_t i = 0; !found && i < plan->n_windows; i++)
        if (plan->window[i].n_forms > 0)
            found = &plan->window[i];
    return found;
}

void puan_curve_of(struct puan_plan_curve *out, const struct puan_plan *plan)
{
    const struct puan_window *window = window_of(plan);
    const struct puan_setting *x =
        puan_plan_setting(plan, PUAN_STR("progress_curve"));
    struct puan_str rest = x ? x->text : PUAN_STR(""), word;

    memset(out, 0, sizeof(*out));
    if (!window)
        return;
    out->from_ms = window->from_ms;
    out->until_ms = window->until_ms;
    while (rest.n > 0 && out->n < PUAN_WORK_DAYS &&
           puan_str_split(&word, &rest, ' ')) {
        int64_t v;

        if (word.n == 0)
            continue;
        if (!puan_fixed_parse(&v, word, 1) || v < 0 || v > 1000) {
            out->n = 0; /* not a curve: evenly */
            return;
        }
        out->at[out->n++] = v;
    }
}

int64_t puan_curve_at(const struct puan_plan_curve *c, int64_t ms)
{
    int64_t day, before, after;

    if (c->until_ms <= c->from_ms || ms <= c->from_ms)
        return 0;
    if (c->n == 0) {
        if (ms >= c->until_ms)
            return 1000;
        return (ms - c->from_ms) * 1000 / (c->until_ms - c->from_ms);
    }
    day = (ms - c->from_ms) / DAY;
    if (day >= (int64_t)c->n)
        return c->at[c->n - 1];
    before = day > 0 ? c->at[day - 1] : 0;
    after = c->at[day];
    return before + (after - before) * ((ms - c->from_ms) % DAY) / DAY;
}

/* ---- what is to be expected --------------------------------------------------- */

/* splitmix64: well mixed from any seed, the same on every machine. */
static uint64_t draw(uint64_t *s)
{
    uint64_t z = *s += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static int by_share(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return a < b ? -1 : a > b;
}

static int by_day(const void *x, const void *y)
{
    int a = *(const int *)x, b = *(const int *)y;

    return a < b ? -1 : a > b;
}

/* left^(thousandths/1000), by halving: no libm, close enough for a share. */
static double part_of_day(double left, int64_t thousandths)
{
    double x = left, r = 1.0;

    for (int i = 0; i < 10; i++) { /* 512/1024, 256/1024 ... */
        double lo = 0, hi = 1;

        for (int k = 0; k < 40; k++) { /* square root by bisection */
            double mid = (lo + hi) / 2;

            if (mid * mid < x)
                lo = mid;
            else
                hi = mid;
        }
        x = (lo + hi) / 2;
        if ((thousandths * 1024 / 1000) & (512 >> i))
            r *= x;
    }
    return thousandths >= 1000 ? left : r;
}

/* What stays out in a whole day, for each day to draw from. */
static size_t shares(double *left, const int64_t *day, int64_t today,
                     int64_t gone, int64_t due)
{
    int64_t in = 0;
    size_t n = 0;

    for (int64_t d = 0; d < today; d++) {
        if (d >= today - PUAN_FORECAST_RECENT && due > in)
            left[n++] = 1.0 - (double)day[d] / (double)(due - in);
        in += day[d];
    }
    if (n == 0 && gone > 0 && due > in) {
        double so_far = 1.0 - (double)day[today] / (double)(due - in), p = 1.0;

        /* whole days of it: (so far)^(1000 / gone) */
        for (int64_t k = 0; k < 1000 / gone; k++)
            p *= so_far;
        left[n++] = p * part_of_day(so_far, 1000 % gone * 1000 / gone);
    }
    for (size_t i = 0; i < n; i++)
        if (left[i] < 0)
            left[i] = 0;
    return n;
}

void puan_forecast_of(struct puan_forecast *out, const int64_t *day,
                      int64_t today, int64_t gone, int64_t due,
                      int64_t delivered, int64_t done, uint64_t seed)
{
    static const int at[3] = { PUAN_FORECAST_PATHS / 10,
                               PUAN_FORECAST_PATHS / 2,
                               PUAN_FORECAST_PATHS * 9 / 10 };
    double left[PUAN_FORECAST_RECENT], target, *end;
    int finish[PUAN_FORECAST_PATHS];
    bool moved = false;
    size_t n;

    memset(out, 0, sizeof(*out));
    if (due <= 0 || today < 0 || today >= PUAN_WORK_DAYS)
        return;
    if (delivered * 1000 >= due * done) {
        out->complete = out->known = true;
        return;
    }
    n = shares(left, day, today, gone, due);
    for (size_t i = 0; i < n; i++)
        moved |= left[i] < 1.0;
    end = calloc((size_t)PUAN_FORECAST_DAYS * PUAN_FORECAST_PATHS,
                 sizeof(*end));
    if (n == 0 || !moved || !end) {
        free(end);
        return;
    }
    out->known = true;
    out->basis = today < PUAN_FORECAST_RECENT ? today : PUAN_FORECAST_RECENT;
    out->n = PUAN_FORECAST_DAYS;
    target = 1.0 - (double)done / 1000.0;
    for (size_t p = 0; p < PUAN_FORECAST_PATHS; p++) {
        double rest = 1.0 - (double)delivered / (double)due;

        finish[p] = PUAN_FORECAST_DAYS;
        for (int d = 0; d < PUAN_FORECAST_DAYS; d++) {
            double stays = left[draw(&seed) % n];

            rest *= d > 0 ? stays : part_of_day(stays, 1000 - gone);
            end[(size_t)d * PUAN_FORECAST_PATHS + p] = 1.0 - rest;
            if (rest <= target + 1e-9 && finish[p] == PUAN_FORECAST_DAYS)
                finish[p] = d;
        }
    }
    qsort(finish, PUAN_FORECAST_PATHS, sizeof(*finish), by_day);
    out->early = finish[at[0]];
    out->middle = finish[at[1]];
    out->late = finish[at[2]];
    out->far = out->middle == PUAN_FORECAST_DAYS;
    out->late_open = out->late == PUAN_FORECAST_DAYS;
    for (size_t d = 0; d < PUAN_FORECAST_DAYS; d++) {
        double *v = end + d * PUAN_FORECAST_PATHS;

        qsort(v, PUAN_FORECAST_PATHS, sizeof(*v), by_share);
        out->low[d] = (int16_t)(v[at[0]] * 1000);
        out->mid[d] = (int16_t)(v[at[1]] * 1000);
        out->high[d] = (int16_t)(v[at[2]] * 1000);
    }
    free(end);
}
