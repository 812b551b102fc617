/* A census against an earlier one. */
#include "core/evaluate/growth.h"

#include <math.h>

#define MOST 40 /* five-year groups */

double puan_growth_exponential(double first, double second, double years)
{
    return first > 0 && second > 0 && years > 0
               ? 100 * log(second / first) / years
               : 0;
}

double puan_growth_yearly(double first, double second, double years)
{
    return first > 0 && second > 0 && years > 0
               ? 100 * (pow(second / first, 1 / years) - 1)
               : 0;
}

struct puan_balance puan_balance_of(double first, double second, double births,
                                    double deaths, double net_migration)
{
    struct puan_balance b;

    b.expected = first + births - deaths + net_migration;
    b.residual = second - b.expected;
    b.percent = second > 0 ? 100 * b.residual / second : 0;
    return b;
}

void puan_cohort_ratios(double *out, const double *first, const double *second,
                        unsigned closed, unsigned steps)
{
    for (unsigned i = 0; i + steps < closed; i++)
        out[i] = first[i] > 0 ? second[i + steps] / first[i] : 0;
}

/* Cohorts five years apart: each group follows the one before. */
static void every_five(double *out, const double *p1, const double *p2,
                       unsigned n)
{
    out[0] = 1;
    for (unsigned i = 1; i < n; i++)
        out[i] = p1[i - 1] > 0 ? out[i - 1] * p2[i] / p1[i - 1] : 0;
}

/* Ten years apart: two chains of every second group, the other one beginning
   at the mean of the first two of this one. */
static void every_ten(double *out, const double *p1, const double *p2,
                      unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (i == 0)
            out[i] = 1;
        else if (i == 1)
            out[i] = p1[0] > 0 ? (1 + p2[2] / p1[0]) / 2 : 0;
        else
            out[i] = p1[i - 2] > 0 ? out[i - 2] * p2[i] / p1[i - 2] : 0;
    }
}

static bool synthetic(double *out, const double *p1, const double *p2,
                      unsigned n, double years)
{
    double r[MOST], lived[MOST];

    for (unsigned i = 0; i < n; i++) {
        if (p1[i] <= 0 || p2[i] <= 0)
            return false;
        r[i] = log(p2[i] / p1[i]) / years;
        lived[i] =
            fabs(r[i]) > 1e-12 ? (p2[i] - p1[i]) / (years * r[i]) : p1[i];
    }
    out[0] = 1;
    for (unsigned i = 1; i < n; i++)
        out[i] = out[i - 1] * lived[i] * exp(2.5 * r[i]) /
                 (lived[i - 1] * exp(-2.5 * r[i - 1]));
    return true;
}

bool puan_census_survivors(double *out, const double *first,
                           const double *second, unsigned closed, double years)
{
    if (closed < 3 || closed > MOST || years <= 0)
        return false;
    if (fabs(years - 5) < 0.01) {
        every_five(out, first, second, closed);
        return true;
    }
    if (fabs(years - 10) < 0.01) {
        every_ten(out, first, second, closed);
        return true;
    }
    return synthetic(out, first, second, closed, years);
}

static double median(double *v, unsigned n)
{
    for (unsigned i = 1; i < n; i++)
        for (unsigned j = i; j > 0 && v[j] < v[j - 1]; j--) {
            double t = v[j];

            v[j] = v[j - 1];
            v[j - 1] = t;
        }
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

double puan_survival_error(const double *first, const double *second,
                           const double *known, unsigned closed, double years)
{
    double l[MOST], exact[MOST], off[MOST], above;
    unsigned n = 0;

    if (!puan_census_survivors(l, first, second, closed, years))
        return -1;
    /* survivors at exact age 5 i, between the groups around it */
    for (unsigned i = 1; i < closed; i++)
        exact[i] = (l[i - 1] + l[i]) / 2;
    above = exact[closed - 1] * known[closed - 1];
    for (unsigned i = closed - 1; i-- > 1;) {
        above += 2.5 * (exact[i] + exact[i + 1]);
        if (exact[i] <= 0 || known[i] <= 0)
            return -1;
        off[n++] = 100 * fabs(known[i] - above / exact[i]) / known[i];
    }
    return n ? median(off, n) : -1;
}

struct puan_growth_balance
puan_growth_balance(const double *first, const double *second,
                    const double *deaths, const double *migrants,
                    unsigned groups, double years, unsigned from, unsigned to)
{
    struct puan_growth_balance out = { 0 };
    double p1 = 0, p2 = 0, d = 0, m = 0, sx = 0, sy = 0, sxx = 0, syy = 0,
           sxy = 0, n = 0, vx, vy, vxy;

    if (groups < 4 || from < 1 || to >= groups || to < from + 2 || years <= 0)
        return out;
    for (unsigned i = groups; i-- > from;) {
        double lived, x, y, entries;

        p1 += first[i];
        p2 += second[i];
        d += deaths[i];
        m += migrants ? migrants[i] : 0;
        if (i > to)
            continue;
        lived = years * sqrt(p1 * p2);
        if (!(lived > 0))
            return out;
        entries = years / 5 * sqrt(first[i - 1] * second[i]);
        x = d / lived;
        y = entries / lived - (p2 - p1 - m) / lived;
        n++;
        sx += x;
        sy += y;
        sxx += x * x;
        syy += y * y;
        sxy += x * y;
    }
    vx = sxx - sx * sx / n;
    vy = syy - sy * sy / n;
    vxy = sxy - sx * sy / n;
    if (!(vx > 0) || !(vy > 0))
        return out;
    out.given = true;
    out.from = from;
    out.to = to;
    out.slope = sqrt(vy / vx);
    out.a = sy / n - out.slope * sx / n;
    out.relative = exp(years * out.a);
    /* the better of the two censuses is taken as complete */
    out.deaths =
        sqrt(out.relative > 1 ? 1 / out.relative : out.relative) / out.slope;
    out.r2 = vxy * vxy / (vx * vy);
    return out;
}
