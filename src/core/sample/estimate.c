/* Design-based estimates and their errors. */
#include "core/sample/estimate.h"

#include <math.h>

/* ---- distributions --------------------------------------------------------
 */

double puan_normal_quantile(double p)
{
    /* bisection on erfc: exact to the last digits, and never in a loop that
       matters */
    double low = -40, high = 40;

    for (int i = 0; i < 200 && high - low > 1e-15 * (fabs(low) + 1); i++) {
        double mid = (low + high) / 2;

        if (erfc(-mid / sqrt(2.0)) / 2 < p)
            low = mid;
        else
            high = mid;
    }
    return (low + high) / 2;
}

/* Continued fraction of the incomplete beta function (Lentz's method). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1), h;

    d = 1 / (fabs(d) < tiny ? tiny : d);
    h = d;
    for (int m = 1; m < 2000; m++) {
        double k = m, even = k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k));
        double odd =
            -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1));

        d = 1 + even * d;
        c = 1 + even / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        d = 1 + odd * d;
        c = 1 + odd / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        if (fabs(d * c - 1) < 1e-15)
            break;
    }
    return h;
}

static double beta_inc(double a, double b, double x)
{
    double front;

    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    front =
        exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* P(T <= t) of Student's t. */
static double t_below(double t, double df)
{
    double tail = beta_inc(df / 2, 0.5, df / (df + t * t)) / 2;

    return t > 0 ? 1 - tail : tail;
}

double puan_t_quantile(double p, double df)
{
    double low = -1, high = 1;

    if (df <= 0)
        return puan_normal_quantile(p);
    while (t_below(low, df) > p)
        low *= 2;
    while (t_below(high, df) < p)
        high *= 2;
    for (int i = 0; i < 300 && high - low > 1e-14 * (fabs(low) + 1); i++) {
        double mid = (low + high) / 2;

        if (t_below(mid, df) < p)
            low = mid;
        else
            high = mid;
    }
    return (low + high) / 2;
}

/* ---- variance -------------------------------------------------------------
 */

/* 1 - n / N, between 0 and 1. */
static double correction(double n, double units)
{
    if (units <= 0)
        return 1;
    return n >= units ? 0 : 1 - n / units;
}

static double spread(const double *t, uint32_t n, double centre)
{
    double s = 0;

    for (uint32_t i = 0; i < n; i++)
        s += (t[i] - centre) * (t[i] - centre);
    return s;
}

static double mean(const double *t, uint32_t n)
{
    double s = 0;

    for (uint32_t i = 0; i < n; i++)
        s += t[i];
    return n ? s / n : 0;
}

/* Of the totals of a stratum's primary units, correction included. */
static double between(const struct puan_design *d,
                      const struct puan_sample_stratum *h, const double *t)
{
    double n = h->n, fpc = correction(n, h->units);

    if (d->drawn == PUAN_DRAWN_SYSTEMATIC) {
        double s = 0;

        for (uint32_t i = 1; i < h->n; i++)
            s += (t[i] - t[i - 1]) * (t[i] - t[i - 1]);
        return fpc * n / (2 * (n - 1)) * s;
    }
    if (d->drawn == PUAN_DRAWN_UNEQUAL) {
        double centre = mean(t, h->n), s = 0;

        for (uint32_t i = 0; i < h->n; i++)
            s += (1 - d->primary[h->first + i].p) * (t[i] - centre) *
                 (t[i] - centre);
        return n / (n - 1) * s;
    }
    return fpc * n / (n - 1) * spread(t, h->n, mean(t, h->n));
}

/* The second stage's part: f · (1 - m/M) · m/(m-1) · spread within. */
static double within(const struct puan_design *d,
                     const struct puan_sample_stratum *h, const double *z)
{
    double s = 0;

    for (uint32_t i = 0; i < h->n; i++) {
        const struct puan_sample_primary *p = &d->primary[h->first + i];
        double f = d->drawn == PUAN_DRAWN_UNEQUAL ? p->p
                   : h->units > 0                 ? h->n / h->units
                                                  : 0;

        if (p->units > p->n && p->n > 1)
            s += f * correction(p->n, p->units) * p->n / (p->n - 1.0) *
                 spread(z + p->first, p->n, mean(z + p->first, p->n));
    }
    return s;
}

enum puan_status puan_design_variance(double *out, const struct puan_design *d,
                                      const double *z, struct puan_arena *a,
                                      struct puan_err *err)
{
    double *t = puan_new_n(a, d->n_primary ? d->n_primary : 1, double);
    double centre, v = 0, alone = 0;
    uint32_t lonely = 0;

    *out = 0;
    if (!t)
        return puan_arena_check(a, err);
    for (uint32_t i = 0; i < d->n_primary; i++)
        for (uint32_t u = 0; u < d->primary[i].n; u++)
            t[i] += z[d->primary[i].first + u];
    centre = mean(t, d->n_primary);
    for (uint32_t s = 0; s < d->n_strata; s++) {
        const struct puan_sample_stratum *h = &d->stratum[s];

        if (h->n == 0)
            continue;
        v += within(d, h, z);
        if (h->n > 1) {
            v += between(d, h, t + h->first);
        } else if (correction(1, h->units) > 0 &&
                   !(d->drawn == PUAN_DRAWN_UNEQUAL &&
                     d->primary[h->first].p >= 1)) {
            if (d->lonely == PUAN_LONELY_FAIL)
                return puan_fail(
                    err, PUAN_EINVAL, "variance",
                    "the stratum at %u has a single primary unit; say how to "
                    "treat it (--lonely) or join it to another",
                    h->label);
            lonely++;
            alone += correction(1, h->units) * (t[h->first] - centre) *
                     (t[h->first] - centre);
        }
    }
    if (lonely && d->lonely == PUAN_LONELY_CENTRE)
        v += alone;
    if (lonely && d->lonely == PUAN_LONELY_AVERAGE && d->n_strata > lonely)
        v *= (double)d->n_strata / (d->n_strata - lonely);
    *out = v;
    return PUAN_OK;
}

/* ---- estimates ------------------------------------------------------------
 */

static double degrees(const struct puan_design *d)
{
    double df = 0;

    for (uint32_t s = 0; s < d->n_strata; s++)
        df += d->stratum[s].n > 1 ? d->stratum[s].n - 1.0 : 0;
    return df;
}

static void finish(struct puan_estimate *e, const struct puan_design *d,
                   double v, double level)
{
    double t = puan_t_quantile((1 + level) / 2, degrees(d));

    e->given = true;
    e->df = degrees(d);
    e->se = sqrt(v > 0 ? v : 0);
    e->cv = e->value < 0 || e->value > 0 ? e->se / fabs(e->value) : 0;
    e->low = e->value - t * e->se;
    e->high = e->value + t * e->se;
}

static bool inside(const bool *in, uint32_t u)
{
    return !in || in[u];
}

/* Population variance of q as the weights tell it, over all units. */
static double weighted_variance(const struct puan_design *d, const double *q)
{
    double w = 0, m = 0, s = 0, n = d->n_units;

    for (uint32_t u = 0; u < d->n_units; u++) {
        w += d->weight[u];
        m += d->weight[u] * q[u];
    }
    if (w <= 0 || n < 2)
        return 0;
    m /= w;
    for (uint32_t u = 0; u < d->n_units; u++)
        s += d->weight[u] * (q[u] - m) * (q[u] - m);
    return s / w * n / (n - 1);
}

/* Variance of the total of q under simple random sampling of as many units
   of a population as large as the weights add up to. */
static double simple_variance(const struct puan_design *d, const double *q)
{
    double all = 0, n = d->n_units;

    for (uint32_t u = 0; u < d->n_units; u++)
        all += d->weight[u];
    if (n < 2 || all <= n)
        return 0;
    return all * all * (1 - n / all) * weighted_variance(d, q) / n;
}

/* q[u] are the values (linearized for a ratio) whose weighted total varies. */
static enum puan_status measure(struct puan_estimate *e,
                                const struct puan_design *d, double *q,
                                double level, struct puan_arena *a,
                                struct puan_err *err)
{
    double *z = puan_new_n(a, d->n_units ? d->n_units : 1, double), v, simple;
    enum puan_status st;

    if (!z)
        return puan_arena_check(a, err);
    for (uint32_t u = 0; u < d->n_units; u++)
        z[u] = d->weight[u] * q[u];
    st = puan_design_variance(&v, d, z, a, err);
    if (st != PUAN_OK)
        return st;
    finish(e, d, v, level);
    simple = simple_variance(d, q);
    e->deff = simple > 0 ? v / simple : 0;
    return PUAN_OK;
}

static void count(struct puan_estimate *e, const struct puan_design *d,
                  const bool *in)
{
    *e = (struct puan_estimate){ 0 };
    for (uint32_t u = 0; u < d->n_units; u++)
        if (inside(in, u)) {
            e->n++;
            e->weight += d->weight[u];
        }
}

enum puan_status puan_estimate_total(struct puan_estimate *out,
                                     const struct puan_design *d,
                                     const double *y, const bool *in,
                                     double level, struct puan_arena *a,
                                     struct puan_err *err)
{
    double *q = puan_new_n(a, d->n_units ? d->n_units : 1, double);

    count(out, d, in);
    if (!q)
        return puan_arena_check(a, err);
    for (uint32_t u = 0; u < d->n_units; u++) {
        q[u] = inside(in, u) ? y[u] : 0;
        out->value += d->weight[u] * q[u];
    }
    return measure(out, d, q, level, a, err);
}

enum puan_status puan_estimate_ratio(struct puan_estimate *out,
                                     const struct puan_design *d,
                                     const double *y, const double *x,
                                     const bool *in, double level,
                                     struct puan_arena *a, struct puan_err *err)
{
    double *q = puan_new_n(a, d->n_units ? d->n_units : 1, double);
    double ty = 0, tx = 0;

    count(out, d, in);
    if (!q)
        return puan_arena_check(a, err);
    for (uint32_t u = 0; u < d->n_units; u++)
        if (inside(in, u)) {
            ty += d->weight[u] * y[u];
            tx += d->weight[u] * (x ? x[u] : 1);
        }
    if (!(tx < 0 || tx > 0))
        return PUAN_OK;
    out->value = ty / tx;
    for (uint32_t u = 0; u < d->n_units; u++)
        q[u] = inside(in, u) ? (y[u] - out->value * (x ? x[u] : 1)) / tx : 0;
    return measure(out, d, q, level, a, err);
}
