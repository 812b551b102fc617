/*
 * Inside the feature: how columns come to be.  Rows arrive in parts (a chunk
 * of a CSV file, the returns of a county); of each part every column is a
 * piece, as narrow as its own values allow; when all are there the column's
 * final shape is known and the pieces are copied into it.
 */
#ifndef PUAN_FEATURES_FRAME_INTERNAL_H
#define PUAN_FEATURES_FRAME_INTERNAL_H

#include "features/frame/frames.h"
#include "kit/os/os.h"

/* ---- memory --------------------------------------------------------------- */

/* Memory of one thread, in large pages where the system has them. */
struct puan_slab {
    struct puan_slab_block *top;
    size_t used;
};
void *puan_slab_get(struct puan_slab *s, size_t n); /* not zeroed; or NULL */
void puan_slab_clear(struct puan_slab *s);

/* Zeroed memory by pages; NULL when there is none. */
void *puan_pages_get(size_t n);
void puan_pages_put(void *p, size_t n); /* p may be NULL */

/* ---- values --------------------------------------------------------------- */

/* Whole numbers seen; none while lo > hi.  `big`: some are beyond 63 bits, and
   lo and hi are uint64_t in the bits of an int64_t. */
struct puan_range {
    int64_t lo, hi;
    bool big;
};

/* How values are stored: base + stored; states count down from the largest
   number of the width. */
struct puan_shape {
    uint8_t width;
    uint64_t base;
};
/* The largest stored value of a width. */
static inline uint64_t puan_width_most(unsigned width)
{
    return width == 8 ? UINT64_MAX : ((uint64_t)1 << (8 * width)) - 1;
}
/*
 * The narrowest shape for a range and so many states; base 0 where that costs
 * nothing.  Big values have base 0 and 8 bytes, and hold only while the largest
 * leaves room for the states.
 */
struct puan_shape puan_shape_of(struct puan_range r, unsigned states);

/* One column of one part. */
struct puan_piece {
    void *data;
    struct puan_shape shape;
    struct puan_range range;
    uint32_t rows, given;
    uint16_t seen;   /* CSV: shapes of cells */
    uint8_t places;  /* CSV: most decimals */
    uint8_t least_digits, most_digits; /* CSV: of cells of digits only */
    uint8_t worker;  /* whose dictionary its texts are numbered by */
};

/* Stores n values of 8 bytes at a row of a piece; states are st[i] - 1 + the
   first state, st NULL: all given.  The piece must have room and the shape. */
void puan_piece_put(struct puan_piece *p, uint32_t row, const uint64_t *v,
                    const uint8_t *st, uint32_t n, unsigned states);
/* The same rows in another shape; `to` has room for them. */
void puan_shape_convert(void *to, struct puan_shape shape, const void *from,
                        struct puan_shape was, uint64_t n, unsigned states);
/* Whether n stored values never fall. */
bool puan_stored_sorted(const void *data, unsigned width, uint64_t n);

/* ---- a column of all parts ------------------------------------------------- */

struct puan_column {
    struct puan_frame_item item; /* as it will be; data NULL until then */
    struct puan_piece *piece;    /* n_parts */
    const uint32_t *const *text; /* CODE: [worker][local number] = code */
    bool left_out;
};

struct puan_parts {
    struct puan_column *column;
    size_t n_columns;
    size_t n_parts;
    uint64_t *row; /* [part] first row; n_parts + 1 */
    unsigned threads;
};

/*
 * Settles item.width, base, stop, least, most and n_given of a column from its
 * pieces; item.states and n_states are there.
 */
void puan_column_settle(struct puan_column *c, size_t n_parts);
/* Copies a part of a column to its place in `data`, of the settled shape. */
void puan_column_copy(void *data, const struct puan_column *c,
                      const struct puan_parts *p, size_t part);

/* ---- CSV -------------------------------------------------------------------- */

/* What the reader gives: parts, and what must outlive them. */
struct puan_csv_read {
    struct puan_parts parts;
    struct puan_arena arena; /* names, code lists */
    struct puan_slab *slab;  /* of each worker */
    unsigned n_workers;
};
PUAN_MUST_USE enum puan_status
puan_csv_frame_read(struct puan_csv_read *out, const char *const *paths,
                    size_t n, const struct puan_frames_options *opt,
                    struct puan_err *err);
void puan_csv_frame_clear(struct puan_csv_read *r);

/* ---- a frame and what it rests on ------------------------------------------- */

struct puan_frames_pages {
    void *p;
    size_t n;
    struct puan_frames_pages *next;
};

struct puan_frames {
    struct puan_arena arena;
    struct puan_map map;      /* of a frame file */
    struct puan_csv_read csv; /* names and code lists of a frame from CSV */
    bool from_csv;
    struct puan_frames_pages *pages;
    struct puan_frame frame;
    unsigned threads;
    uint64_t moved; /* rows, when levels were made at load */
};
/* Zeroed memory that goes with the frame; NULL when there is none. */
void *puan_frames_pages(struct puan_frames *f, size_t n);
/* Computes the digest of a frame in memory. */
PUAN_MUST_USE enum puan_status puan_frames_digest(struct puan_frames *f,
                                                  struct puan_err *err);

#endif
