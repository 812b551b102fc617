/*
 * Shapes of columns: the narrowest for a range, and the loops that store and
 * change values of each width.  gcc and clang make vector code of them.
 */
#include "features/frame/internal.h"

void puan_range_join(struct puan_range *r, struct puan_range x)
{
    if (!x.big && x.lo > x.hi)
        return;
    if (!r->big && r->lo > r->hi) {
        *r = x;
        return;
    }
    if (r->big || x.big) {
        /* a column of tokens has nothing below zero, so bits compare */
        uint64_t lo = (uint64_t)r->lo, hi = (uint64_t)r->hi;

        lo = (uint64_t)x.lo < lo ? (uint64_t)x.lo : lo;
        hi = (uint64_t)x.hi > hi ? (uint64_t)x.hi : hi;
        *r = (struct puan_range){ (int64_t)lo, (int64_t)hi, true };
        return;
    }
    r->lo = x.lo < r->lo ? x.lo : r->lo;
    r->hi = x.hi > r->hi ? x.hi : r->hi;
}

struct puan_shape puan_shape_of(struct puan_range r, unsigned states)
{
    static const uint8_t widths[] = { 1, 2, 4 };
    uint64_t span = (uint64_t)r.hi - (uint64_t)r.lo;

    if (r.big)
        return (struct puan_shape){ 8, 0 };
    if (r.lo > r.hi)
        return (struct puan_shape){ 1, 0 };
    for (size_t i = 0; i < PUAN_COUNT(widths); i++) {
        uint64_t most = puan_width_most(widths[i]) - states;

        if (r.lo >= 0 && (uint64_t)r.hi <= most)
            return (struct puan_shape){ widths[i], 0 };
        if (span <= most)
            return (struct puan_shape){ widths[i], (uint64_t)r.lo };
    }
    if (r.lo >= 0)
        return (struct puan_shape){ 8, 0 };
    return (struct puan_shape){ 8, (uint64_t)r.lo };
}

bool puan_shape_holds(struct puan_shape s, struct puan_range r, unsigned states)
{
    uint64_t most = puan_width_most(s.width) - states;

    if (r.big)
        return s.width == 8 && s.base == 0;
    if (r.lo > r.hi)
        return true;
    if (r.lo < (int64_t)s.base)
        return false;
    return (uint64_t)r.hi - s.base <= most;
}

#define WIDTHS(X)                                                              \
    switch (width) {                                                           \
    case 1:                                                                    \
        X(uint8_t);                                                            \
        break;                                                                 \
    case 2:                                                                    \
        X(uint16_t);                                                           \
        break;                                                                 \
    case 4:                                                                    \
        X(uint32_t);                                                           \
        break;                                                                 \
    default:                                                                   \
        X(uint64_t);                                                           \
        break;                                                                 \
    }

#define PUT(T)                                                                 \
    do {                                                                       \
        T *restrict d = to;                                                    \
                                                                               \
        for (uint32_t i = 0; i < n; i++)                                       \
            d[i] = (T)(v[i] - s.base);                                         \
        for (uint32_t i = 0; st && i < n; i++)                                 \
            if (st[i])                                                         \
                d[i] = (T)(top - states + st[i]);                              \
    } while (0)

void puan_shape_put(void *to, struct puan_shape s, const uint64_t *v,
                    const uint8_t *st, uint32_t n, unsigned states)
{
    unsigned width = s.width;
    uint64_t top = puan_width_most(width);

    WIDTHS(PUT)
}

#define REBASE(T)                                                              \
    do {                                                                       \
        T *d = data, last = (T)((T)~(T)0 - (T)states), move = (T)add;          \
                                                                               \
        for (uint64_t i = 0; i < n; i++)                                       \
            d[i] = (T)(d[i] + (d[i] > last ? 0 : move));                       \
    } while (0)

void puan_shape_rebase(void *data, unsigned width, uint64_t add, uint64_t n,
                       unsigned states)
{
    WIDTHS(REBASE)
}

#define MAP(T)                                                                 \
    do {                                                                       \
        T *d = data, last = (T)((T)~(T)0 - (T)states);                         \
                                                                               \
        for (uint64_t i = 0; i < n; i++)                                       \
            if (d[i] <= last)                                                  \
                d[i] = (T)map[d[i]];                                           \
    } while (0)

void puan_stored_map(void *data, unsigned width, const uint32_t *map,
                     uint64_t n, unsigned states)
{
    WIDTHS(MAP)
}

#define SORTED(T)                                                              \
    do {                                                                       \
        const T *d = data;                                                     \
                                                                               \
        for (uint64_t i = 1; i < n; i++)                                       \
            falls |= d[i] < d[i - 1];                                          \
    } while (0)

static bool sorted_some(const void *data, unsigned width, uint64_t n)
{
    unsigned falls = 0;

    WIDTHS(SORTED)
    return !falls;
}

bool puan_stored_sorted(const void *data, unsigned width, uint64_t n)
{
    const uint64_t step = 4096; /* most columns fall early */

    for (uint64_t i = 0; i < n; i += step) {
        uint64_t m = n - i > step ? step + 1 : n - i;

        if (!sorted_some((const char *)data + i * width, width, m))
            return false;
    }
    return true;
}
