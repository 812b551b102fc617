/*
 * Shapes of columns, and the copies between them.
 */
#include "features/frame/internal.h"

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
    if (r.lo >= 0 && (uint64_t)r.hi <= UINT64_MAX - states)
        return (struct puan_shape){ 8, 0 };
    return (struct puan_shape){ 8, (uint64_t)r.lo };
}

/* gcc and clang make vector code of these loops. */
#define PUT(T)                                                                 \
    do {                                                                       \
        T *d = (T *)p->data + row;                                             \
                                                                               \
        for (uint32_t i = 0; i < n; i++)                                       \
            d[i] = (T)(v[i] - base);                                           \
        for (uint32_t i = 0; st && i < n; i++)                                 \
            if (st[i])                                                         \
                d[i] = (T)(top - states + st[i]);                              \
    } while (0)

void puan_piece_put(struct puan_piece *p, uint32_t row, const uint64_t *v,
                    const uint8_t *st, uint32_t n, unsigned states)
{
    uint64_t base = p->shape.base, top = puan_width_most(p->shape.width);

    switch (p->shape.width) {
    case 1:
        PUT(uint8_t);
        break;
    case 2:
        PUT(uint16_t);
        break;
    case 4:
        PUT(uint32_t);
        break;
    default:
        PUT(uint64_t);
        break;
    }
}

#define CONVERT(T, F)                                                          \
    do {                                                                       \
        T *restrict d = to;                                                    \
        const F *restrict s = from;                                            \
        F last = (F)((F)~(F)0 - (F)states);                                    \
        T move = (T)delta, shift = (T)((T)~(T)0 - (T)(F)~(F)0);                \
                                                                               \
        for (uint64_t i = 0; i < n; i++)                                       \
            d[i] = (T)((T)s[i] + (s[i] > last ? shift : move));                \
    } while (0)
#define CONVERT_FROM(F)                                                        \
    do {                                                                       \
        if (shape.width == 1)                                                  \
            CONVERT(uint8_t, F);                                               \
        else if (shape.width == 2)                                             \
            CONVERT(uint16_t, F);                                              \
        else if (shape.width == 4)                                             \
            CONVERT(uint32_t, F);                                              \
        else                                                                   \
            CONVERT(uint64_t, F);                                              \
    } while (0)

void puan_shape_convert(void *to, struct puan_shape shape, const void *from,
                        struct puan_shape was, uint64_t n, unsigned states)
{
    uint64_t delta = was.base - shape.base;

    if (shape.width == was.width && delta == 0) {
        memcpy(to, from, (size_t)(n * shape.width));
        return;
    }
    switch (was.width) {
    case 1:
        CONVERT_FROM(uint8_t);
        break;
    case 2:
        CONVERT_FROM(uint16_t);
        break;
    case 4:
        CONVERT_FROM(uint32_t);
        break;
    default:
        CONVERT_FROM(uint64_t);
        break;
    }
}

#define SORTED(T)                                                              \
    do {                                                                       \
        const T *d = data;                                                     \
        T falls = 0;                                                           \
                                                                               \
        for (uint64_t i = 1; i < n; i++)                                       \
            falls |= d[i] < d[i - 1];                                          \
        return !falls;                                                         \
    } while (0)

static bool sorted_some(const void *data, unsigned width, uint64_t n)
{
    switch (width) {
    case 1:
        SORTED(uint8_t);
    case 2:
        SORTED(uint16_t);
    case 4:
        SORTED(uint32_t);
    default:
        SORTED(uint64_t);
    }
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

static void join(struct puan_range *r, const struct puan_range *x)
{
    if (!x->big && x->lo > x->hi)
        return;
    if (!r->big && r->lo > r->hi) {
        *r = *x;
        return;
    }
    if (r->big || x->big) {
        /* a column of tokens has nothing below zero, so bits compare */
        uint64_t lo = (uint64_t)r->lo, hi = (uint64_t)r->hi;

        lo = (uint64_t)x->lo < lo ? (uint64_t)x->lo : lo;
        hi = (uint64_t)x->hi > hi ? (uint64_t)x->hi : hi;
        *r = (struct puan_range){ (int64_t)lo, (int64_t)hi, true };
        return;
    }
    r->lo = x->lo < r->lo ? x->lo : r->lo;
    r->hi = x->hi > r->hi ? x->hi : r->hi;
}

void puan_column_settle(struct puan_column *c, size_t n_parts)
{
    struct puan_range r = { 1, 0, false };
    struct puan_frame_item *it = &c->item;
    struct puan_shape shape;

    it->n_given = 0;
    for (size_t i = 0; i < n_parts; i++) {
        it->n_given += c->piece[i].given;
        if (!c->text)
            join(&r, &c->piece[i].range);
    }
    if (c->text && it->codes->n > 0) {
        r.lo = it->codes->codes[0].value;
        r.hi = it->codes->codes[it->codes->n - 1].value;
    }
    shape = puan_shape_of(r, (unsigned)it->n_states);
    it->width = shape.width;
    it->base = (int64_t)shape.base;
    it->least = r.lo;
    it->most = r.hi;
    it->token = r.big;
    it->stop = puan_width_most(shape.width);
    if (it->n_states)
        it->stop -= it->n_states - 1;
    else if (shape.width < 8)
        it->stop++;
}

/* Numbers of a worker's texts to codes, which start at 0. */
static uint64_t code_of(const uint32_t *map, uint64_t stored, uint64_t top,
                        uint64_t to_top, unsigned states)
{
    return stored > top - states ? to_top - (top - stored) : map[stored];
}

static uint64_t load(const void *p, unsigned width, uint64_t i)
{
    switch (width) {
    case 1:
        return ((const uint8_t *)p)[i];
    case 2:
        return ((const uint16_t *)p)[i];
    case 4:
        return ((const uint32_t *)p)[i];
    default:
        return ((const uint64_t *)p)[i];
    }
}

static void store(void *p, unsigned width, uint64_t i, uint64_t v)
{
    switch (width) {
    case 1:
        ((uint8_t *)p)[i] = (uint8_t)v;
        break;
    case 2:
        ((uint16_t *)p)[i] = (uint16_t)v;
        break;
    case 4:
        ((uint32_t *)p)[i] = (uint32_t)v;
        break;
    default:
        ((uint64_t *)p)[i] = v;
        break;
    }
}

void puan_column_copy(void *data, const struct puan_column *c,
                      const struct puan_parts *p, size_t part)
{
    const struct puan_piece *x = &c->piece[part];
    const struct puan_frame_item *it = &c->item;
    unsigned states = (unsigned)it->n_states;
    char *to = (char *)data + p->row[part] * it->width;

    if (c->text) {
        const uint32_t *map = c->text[x->worker];
        uint64_t top = puan_width_most(x->shape.width);
        uint64_t to_top = puan_width_most(it->width);

        for (uint64_t i = 0; i < x->rows; i++)
            store(to, it->width, i,
                  code_of(map, load(x->data, x->shape.width, i), top, to_top,
                          states));
        return;
    }
    puan_shape_convert(to, (struct puan_shape){ it->width, (uint64_t)it->base },
                       x->data, x->shape, x->rows, states);
}
