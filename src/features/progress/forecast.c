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

/* What stays out in a whole day, for each day to draw from: into left[0..n). */
static size_t shares(double *left, const struct puan_forecast_part *p,
                     const double *all, int64_t today, int64_t gone)
{
    int64_t in = 0, lend = all ? PUAN_FORECAST_LEND : 0;
    size_t n = 0;

    for (int64_t d = 0; d < today; d++) {
        if (d >= today - PUAN_FORECAST_RECENT) {
            int64_t out = p->due > in ? p->due - in : 0;
            double stays = (double)(out > p->day[d] ? out - p->day[d] : 0);

            if (all)
                stays += all[n] * (double)lend;
            left[n++] = out + lend > 0 ? stays / (double)(out + lend) : 1.0;
        }
        in += p->day[d];
    }
    if (n == 0 && gone > 0) {
        int64_t out = p->due > in ? p->due - in : 0;
        double so_far = out > 0 && out > p->day[today]
                            ? 1.0 - (double)p->day[today] / (double)out
                        : out > 0 ? 0.0
                                  : 1.0;
        double whole = 1.0;

        /* whole days of it: (so far)^(1000 / gone) */
        for (int64_t k = 0; k < 1000 / gone; k++)
            whole *= so_far;
        whole *= part_of_day(so_far, 1000 % gone * 1000 / gone);
        if (all)
            whole = (whole * (double)out + all[0] * (double)lend) /
                    (double)(out + lend);
        left[n++] = whole;
    }
    return n;
}

struct path_run {
    double *stays, *first; /* by part and day drawn: a whole day, today's rest */
    double *out, *rest;    /* by part: households still out */
    double *share;         /* by day and path */
    int finish[PUAN_FORECAST_PATHS];
    size_t parts, days;    /* days to draw from */
    double due, target;    /* households that may stay out */
};

static void run_path(struct path_run *r, size_t p, uint64_t *seed, bool band)
{
    memcpy(r->rest, r->out, r->parts * sizeof(*r->rest));
    r->finish[p] = PUAN_FORECAST_DAYS;
    for (int d = 0; d < PUAN_FORECAST_DAYS; d++) {
        const double *stays = d > 0 ? r->stays : r->first;
        size_t k = draw(seed) % r->days;
        double out = 0;

        for (size_t i = 0; i < r->parts; i++) {
            r->rest[i] *= stays[i * r->days + k];
            out += r->rest[i];
        }
        if (band)
            r->share[(size_t)d * PUAN_FORECAST_PATHS + p] = 1.0 - out / r->due;
        if (out <= r->target && r->finish[p] == PUAN_FORECAST_DAYS) {
            r->finish[p] = d;
            if (!band)
                return;
        }
    }
}

static void put_band(struct puan_forecast *out, struct path_run *r,
                     const int at[3])
{
    out->n = PUAN_FORECAST_DAYS;
    for (size_t d = 0; d < PUAN_FORECAST_DAYS; d++) {
        double *v = r->share + d * PUAN_FORECAST_PATHS;

        qsort(v, PUAN_FORECAST_PATHS, sizeof(*v), by_share);
        out->low[d] = (int16_t)(v[at[0]] * 1000);
        out->mid[d] = (int16_t)(v[at[1]] * 1000);
        out->high[d] = (int16_t)(v[at[2]] * 1000);
    }
}

void puan_forecast_of(struct puan_forecast *out,
                      const struct puan_forecast_part *part, size_t n,
                      int64_t today, int64_t gone, int64_t done, uint64_t seed,
                      bool band)
{
    static const int at[3] = { PUAN_FORECAST_PATHS / 10,
                               PUAN_FORECAST_PATHS / 2,
                               PUAN_FORECAST_PATHS * 9 / 10 };
    struct puan_forecast_part whole = { 0 };
    double all[PUAN_FORECAST_RECENT];
    struct path_run r = { .parts = n };
    bool moved = false;
    double *room;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < n; i++) {
        whole.due += part[i].due;
        whole.delivered += part[i].delivered;
        for (size_t d = 0; d < PUAN_WORK_DAYS; d++)
            whole.day[d] += part[i].day[d];
    }
    if (whole.due <= 0 || today < 0 || today >= PUAN_WORK_DAYS)
        return;
    if (whole.delivered * 1000 >= whole.due * done) {
        out->complete = out->known = true;
        return;
    }
    r.days = shares(all, &whole, NULL, today, gone);
    for (size_t k = 0; k < r.days; k++)
        moved |= all[k] < 1.0;
    if (r.days == 0 || !moved)
        return;
    room = calloc(n * (2 * r.days + 2) +
                      (band ? PUAN_FORECAST_DAYS * PUAN_FORECAST_PATHS : 0),
                  sizeof(*room));
    if (!room)
        return;
    r.stays = room;
    r.first = r.stays + n * r.days;
    r.out = r.first + n * r.days;
    r.rest = r.out + n;
    r.share = r.rest + n;
    for (size_t i = 0; i < n; i++) {
        (void)shares(r.stays + i * r.days, &part[i], all, today, gone);
        for (size_t k = 0; k < r.days; k++)
            r.first[i * r.days + k] =
                part_of_day(r.stays[i * r.days + k], 1000 - gone);
        r.out[i] = part[i].due > part[i].delivered
                       ? (double)(part[i].due - part[i].delivered)
                       : 0;
    }
    r.due = (double)whole.due;
    r.target = (double)whole.due * (double)(1000 - done) / 1000.0 + 1e-6;
    for (size_t p = 0; p < PUAN_FORECAST_PATHS; p++)
        run_path(&r, p, &seed, band);
    qsort(r.finish, PUAN_FORECAST_PATHS, sizeof(*r.finish), by_day);
    out->known = true;
    out->basis = today < PUAN_FORECAST_RECENT ? today : PUAN_FORECAST_RECENT;
    out->early = r.finish[at[0]];
    out->middle = r.finish[at[1]];
    out->late = r.finish[at[2]];
    out->far = out->middle == PUAN_FORECAST_DAYS;
    out->late_open = out->late == PUAN_FORECAST_DAYS;
    if (band)
        put_band(out, &r, at);
    free(room);
}
