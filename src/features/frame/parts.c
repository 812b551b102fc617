/*
 * Pieces of columns, and how they become one.
 */
#include "features/frame/parts.h"

#include <stdlib.h>

bool puan_piece_make(struct puan_piece *p, const int64_t *v, const uint8_t *st,
                     uint64_t n, unsigned states)
{
    const uint32_t step = 1u << 20;

    *p = (struct puan_piece){ .rows = n, .range = PUAN_RANGE_NONE };
    for (uint64_t i = 0; i < n; i++) {
        if (st && st[i])
            continue;
        puan_range_join(&p->range, (struct puan_range){ v[i], v[i], false });
        p->given++;
    }
    p->shape = puan_shape_of(p->range, states);
    p->data = malloc(n ? (size_t)n * p->shape.width : 1);
    if (!p->data)
        return false;
    for (uint64_t i = 0; i < n; i += step) {
        uint32_t m = n - i < step ? (uint32_t)(n - i) : step;

        puan_shape_put((char *)p->data + i * p->shape.width, p->shape,
                       (const uint64_t *)(const void *)(v + i),
                       st ? st + i : NULL, m, states);
    }
    return true;
}

void puan_piece_clear(struct puan_piece *p)
{
    if (!p->borrowed)
        free(p->data);
    *p = (struct puan_piece){ .data = NULL };
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

/* The same rows in another shape. */
static void convert(void *to, struct puan_shape shape, const void *from,
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

enum puan_status puan_pieces_join(struct puan_frame_item *item,
                                  struct puan_frames *f,
                                  const struct puan_piece *const *piece,
                                  size_t n_pieces, struct puan_err *err)
{
    unsigned states = (unsigned)item->n_states;
    struct puan_range range = PUAN_RANGE_NONE;
    struct puan_shape shape;
    uint64_t rows = 0;
    char *to;

    item->n_given = 0;
    for (size_t i = 0; i < n_pieces; i++) {
        puan_range_join(&range, piece[i]->range);
        rows += piece[i]->rows;
        item->n_given += piece[i]->given;
    }
    shape = puan_shape_of(range, states);
    to = puan_frames_pages(f, (size_t)rows * shape.width);
    if (!to)
        return puan_fail(err, PUAN_ENOMEM, "frame", "out of memory");
    item->data = to;
    item->width = shape.width;
    item->base = (int64_t)shape.base;
    item->least = range.lo;
    item->most = range.hi;
    item->stop = puan_width_most(shape.width);
    if (states)
        item->stop -= states - 1;
    else if (shape.width < 8)
        item->stop++;
    for (size_t i = 0; i < n_pieces; i++) {
        convert(to, shape, piece[i]->data, piece[i]->shape, piece[i]->rows,
                states);
        to += piece[i]->rows * shape.width;
    }
    item->sorted = puan_stored_sorted(item->data, shape.width, rows);
    return PUAN_OK;
}
