/* Allocation of a sample to strata. */
#include "core/sample/allocate.h"

#include <math.h>

static double weight(const struct puan_stratum_size *s,
                     enum puan_allocation how)
{
    switch (how) {
    case PUAN_ALLOCATE_EQUAL:
        return s->units > 0;
    case PUAN_ALLOCATE_SQUARE_ROOT:
        return sqrt(s->units);
    case PUAN_ALLOCATE_NEYMAN:
        return s->units * s->sd;
    case PUAN_ALLOCATE_COST:
        return s->cost > 0 ? s->units * s->sd / sqrt(s->cost) : 0;
    case PUAN_ALLOCATE_PROPORTIONAL:
        break;
    }
    return s->units;
}

bool puan_allocate(double *out, const struct puan_stratum_size *s, size_t n,
                   enum puan_allocation how, double take)
{
    double all = 0;

    for (size_t h = 0; h < n; h++)
        all += weight(&s[h], how);
    for (size_t h = 0; h < n; h++)
        out[h] = all > 0 ? take * weight(&s[h], how) / all : 0;
    return all > 0;
}

/* Sums over strata of W S / sqrt(c), W S sqrt(c) and W S², W = N / sum N. */
struct sums {
    double by_root, times_root, squares, units;
};

static struct sums sums_of(const struct puan_stratum_size *s, size_t n)
{
    struct sums t = { 0 };

    for (size_t h = 0; h < n; h++)
        t.units += s[h].units;
    for (size_t h = 0; h < n && t.units > 0; h++) {
        double w = s[h].units / t.units;

        t.by_root += w * s[h].sd / sqrt(s[h].cost);
        t.times_root += w * s[h].sd * sqrt(s[h].cost);
        t.squares += w * s[h].sd * s[h].sd;
    }
    return t;
}

double puan_size_for_budget(const struct puan_stratum_size *s, size_t n,
                            double budget)
{
    struct sums t = sums_of(s, n);

    return t.times_root > 0 ? budget * t.by_root / t.times_root : 0;
}

double puan_size_for_variance(const struct puan_stratum_size *s, size_t n,
                              double v)
{
    struct sums t = sums_of(s, n);

    if (t.units <= 0)
        return 0;
    return t.times_root * t.by_root / (v + t.squares / t.units);
}

double puan_allocated_error(const double *take,
                            const struct puan_stratum_size *s, size_t n)
{
    double units = 0, v = 0;

    for (size_t h = 0; h < n; h++)
        units += s[h].units;
    for (size_t h = 0; h < n && units > 0; h++) {
        double w = s[h].units / units;

        if (take[h] > 0 && take[h] < s[h].units)
            v += w * w * (1 - take[h] / s[h].units) * s[h].sd * s[h].sd /
                 take[h];
    }
    return sqrt(v);
}

/* One round: floors within the bounds; false when a bound bit, so that the
   others' shares change. */
static bool bound(double *want, uint32_t *out, bool *fixed,
                  const struct puan_stratum_size *s, size_t n, uint32_t take,
                  uint32_t least)
{
    double left = take, open = 0;
    bool bit = false;

    for (size_t h = 0; h < n; h++) {
        left -= fixed[h] ? out[h] : 0;
        open += fixed[h] ? 0 : want[h];
    }
    for (size_t h = 0; h < n; h++)
        if (!fixed[h])
            want[h] = open > 0 ? want[h] * left / open : 0;
    /* too large first: what they cannot take raises the others */
    for (size_t h = 0; h < n; h++)
        if (!fixed[h] && want[h] >= s[h].units) {
            out[h] = (uint32_t)s[h].units;
            fixed[h] = bit = true;
        }
    for (size_t h = 0; !bit && h < n; h++)
        if (!fixed[h] && want[h] < least) {
            out[h] = least < s[h].units ? least : (uint32_t)s[h].units;
            fixed[h] = bit = true;
        }
    return !bit;
}

enum puan_status puan_allocate_whole(uint32_t *out, const double *share,
                                     const struct puan_stratum_size *s,
                                     size_t n, uint32_t take, uint32_t least,
                                     struct puan_arena *a, struct puan_err *err)
{
    double *want = puan_new_n(a, n ? n : 1, double), all = 0, floor_all = 0;
    bool *fixed = puan_new_n(a, n ? n : 1, bool);
    uint32_t given = 0;

    if (!want || !fixed)
        return puan_arena_check(a, err);
    for (size_t h = 0; h < n; h++) {
        want[h] = share[h];
        out[h] = 0;
        all += s[h].units;
        floor_all += least < s[h].units ? least : s[h].units;
    }
    if (take > all || take < floor_all)
        return puan_fail(err, PUAN_EINVAL, "allocation",
                         "%u units cannot be taken: the strata allow %llu to "
                         "%llu",
                         take, (unsigned long long)floor_all,
                         (unsigned long long)all);
    while (!bound(want, out, fixed, s, n, take, least))
        ;
    for (size_t h = 0; h < n; h++) {
        if (!fixed[h])
            out[h] = (uint32_t)want[h];
        given += out[h];
    }
    /* what the floors left over: one each to the largest remainders */
    while (given < take) {
        size_t best = n;
        double most = -1;

        for (size_t h = 0; h < n; h++) {
            double rest = want[h] - out[h];

            if (out[h] < s[h].units && (fixed[h] ? -0.5 : rest) > most) {
                most = fixed[h] ? -0.5 : rest;
                best = h;
            }
        }
        if (best == n) /* full everywhere: cannot be, take <= all */
            return puan_fail(err, PUAN_EBUG, "allocation", "no room left");
        out[best]++;
        given++;
    }
    return PUAN_OK;
}
