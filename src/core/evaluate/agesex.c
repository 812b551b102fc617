/* Scores over five-year groups, and distances of distributions. */
#include "core/evaluate/agesex.h"

#include <math.h>

static const struct puan_age_sex none = { 0 };

/* Mean of |100 · (2 + own) · P / (neighbours + own · P) - 100|. */
static double ratio_score(const double *n, unsigned first, unsigned last,
                          double own)
{
    double s = 0;

    for (unsigned x = first + 1; x < last; x++)
        s += fabs(100 * (2 + own) * n[x] / (n[x - 1] + n[x + 1] + own * n[x]) -
                  100);
    return s / (last - first - 1);
}

static double sex_score(const struct puan_groups *g, unsigned first,
                        unsigned last)
{
    double s = 0;

    for (unsigned x = first + 1; x <= last; x++)
        s +=
            fabs(g->male[x] / g->female[x] - g->male[x - 1] / g->female[x - 1]);
    return 100 * s / (last - first);
}

static double largest(const double *n, unsigned first, unsigned last)
{
    double m = n[first];

    for (unsigned x = first + 1; x <= last; x++)
        m = n[x] > m ? n[x] : m;
    return m;
}

/* Das Gupta's index of one sex: roughness by the range it may have. */
static double das_gupta_age(const double *n, unsigned first, unsigned last)
{
    double rough = 0, begin = n[first] + n[first + 1];
    double high = 200 * largest(n, first, last) / begin;
    double end = 200 * n[last] / begin;

    for (unsigned x = first + 1; x <= last; x++)
        rough += fabs(200 * n[x] / (n[x] + n[x - 1]) - 100);
    return rough / (high - 100 + high - end);
}

static double das_gupta(const struct puan_groups *g, unsigned first,
                        unsigned last)
{
    const double *m = g->male, *f = g->female;
    double begin = 100 * (m[first] + m[first + 1]) / (f[first] + f[first + 1]);
    double end = 100 * (m[last - 1] + m[last]) / (f[last - 1] + f[last]);
    double steps = last - first;
    double sex =
        (sex_score(g, first, last) * steps - fabs(begin - end)) / steps;

    return sex * das_gupta_age(m, first, last) * das_gupta_age(f, first, last);
}

static double persons(const struct puan_groups *g)
{
    double s = 0;

    for (unsigned x = 0; x < g->closed; x++)
        s += g->male[x] + g->female[x];
    return s;
}

struct puan_age_sex puan_age_sex(struct puan_groups g, unsigned first,
                                 unsigned last, double open_persons)
{
    struct puan_age_sex out = none;
    double all;

    if (g.closed == 0)
        return none;
    if (last > g.closed - 1)
        last = g.closed - 1;
    if (last < first + 2)
        return none;
    for (unsigned x = first; x <= last; x++)
        if (g.male[x] <= 0 || g.female[x] <= 0)
            return none;
    all = persons(&g) + open_persons;
    out.given = true;
    out.first = first;
    out.last = last;
    out.male = ratio_score(g.male, first, last, 0);
    out.female = ratio_score(g.female, first, last, 0);
    out.sex = sex_score(&g, first, last);
    out.un = 3 * out.sex + out.male + out.female;
    out.zelnik = 3 * out.sex + ratio_score(g.male, first, last, 1) +
                 ratio_score(g.female, first, last, 1);
    out.ramachandran = 3 * out.sex + ratio_score(g.male, first, last, 2) +
                       ratio_score(g.female, first, last, 2);
    out.das_gupta = das_gupta(&g, first, last);
    out.small = all < 1e6 ? 3500 / sqrt(all) - 3.5 : 0;
    return out;
}

double puan_age_ratio(const double *n, unsigned closed, unsigned group)
{
    double around;

    if (group == 0 || group + 1 >= closed)
        return 0;
    around = n[group - 1] + n[group + 1];
    return around > 0 ? 200 * n[group] / around : 0;
}

static double total(const double *v, unsigned n)
{
    double s = 0;

    for (unsigned i = 0; i < n; i++)
        s += v[i];
    return s;
}

double puan_dissimilarity(const double *a, const double *b, unsigned n)
{
    double sa = total(a, n), sb = total(b, n), s = 0;

    if (sa <= 0 || sb <= 0)
        return -1;
    for (unsigned i = 0; i < n; i++)
        s += fabs(100 * a[i] / sa - 100 * b[i] / sb);
    return s / 2;
}

double puan_relative_difference(const double *a, const double *b, unsigned n)
{
    double sa = total(a, n), sb = total(b, n), s = 0;
    unsigned used = 0;

    if (sa <= 0 || sb <= 0)
        return -1;
    for (unsigned i = 0; i < n; i++)
        if (a[i] > 0) {
            s += fabs(100 * (b[i] / sb) / (a[i] / sa) - 100);
            used++;
        }
    return s / (2 * used);
}

static double moved(const double *value, unsigned x, unsigned at,
                    const double *p, unsigned n_p)
{
    double v = value[x];

    for (unsigned k = 0; k < n_p; k++) {
        unsigned from = at + 2 * k;

        if (x == from)
            v -= p[k] * value[from];
        else if (x + 1 == from || x == from + 1)
            v += p[k] * value[from] / 2;
    }
    return v;
}

double puan_zigzag(double *out, const double *value, unsigned n, unsigned at,
                   const double *p, unsigned n_p)
{
    unsigned low = at - 1, high = at + 2 * n_p - 1;
    double s = 0;

    if (n_p == 0 || at < 2 || high + 1 >= n)
        return -1;
    for (unsigned x = low; x <= high; x++) {
        double v = moved(value, x, at, p, n_p);
        double around = (moved(value, x - 1, at, p, n_p) +
                         moved(value, x + 1, at, p, n_p)) /
                        2;

        if (v <= 0)
            return -1;
        s += (v - around) * (v - around) / v;
    }
    for (unsigned x = 0; out && x < n; x++)
        out[x] = moved(value, x, at, p, n_p);
    return s;
}
