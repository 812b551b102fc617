/*
 * Columns that arrive in parts, each as narrow as its own values allow, and
 * are put together when all are there.
 */
#ifndef PUAN_FEATURES_FRAME_PARTS_H
#define PUAN_FEATURES_FRAME_PARTS_H

#include "features/frame/internal.h"

/* One column of one part. */
struct puan_piece {
    void *data; /* malloc, or borrowed from a frame */
    bool borrowed;
    struct puan_shape shape;
    struct puan_range range;
    uint64_t rows, given;
};

/* Narrows n values; st[i] as puan_shape_put takes them, NULL: all given. */
PUAN_MUST_USE bool puan_piece_make(struct puan_piece *p, const int64_t *v,
                                   const uint8_t *st, uint64_t n,
                                   unsigned states);
void puan_piece_clear(struct puan_piece *p);

/*
 * Puts a column together in memory of f: width, base, stop, least, most,
 * n_given, sorted and data of *item, whose states are there.
 */
PUAN_MUST_USE enum puan_status
puan_pieces_join(struct puan_frame_item *item, struct puan_frames *f,
                 const struct puan_piece *const *piece, size_t n_pieces,
                 struct puan_err *err);

#endif
