/*
 * Inside the feature: how columns come to be.
 *
 * Memory that was never touched is the dearest thing here (the first touch of
 * a page costs more than parsing what goes into it), so a column is parsed
 * into a small buffer of each thread, in the shape it will have, and put
 * straight to its place: in the frame file, or in the one copy in memory.
 */
#ifndef PUAN_FEATURES_FRAME_INTERNAL_H
#define PUAN_FEATURES_FRAME_INTERNAL_H

#include <pthread.h>

#include "features/frame/frames.h"
#include "kit/os/os.h"

/* ---- memory --------------------------------------------------------------- */

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
#define PUAN_RANGE_NONE ((struct puan_range){ 1, 0, false })
void puan_range_join(struct puan_range *r, struct puan_range x);

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
/* The narrowest shape for a range and so many states; base 0 where that costs
   nothing. */
struct puan_shape puan_shape_of(struct puan_range r, unsigned states);
bool puan_shape_holds(struct puan_shape s, struct puan_range r,
                      unsigned states);
/* Stores n values of 8 bytes; st[i] > 0 is state number st[i] - 1, st NULL:
   all are given. */
void puan_shape_put(void *to, struct puan_shape s, const uint64_t *v,
                    const uint8_t *st, uint32_t n, unsigned states);
/* Adds to n stored values in place what moves their base, states excepted. */
void puan_shape_rebase(void *data, unsigned width, uint64_t add, uint64_t n,
                       unsigned states);
/* Replaces n stored values, states excepted, by map[value]. */
void puan_stored_map(void *data, unsigned width, const uint32_t *map,
                     uint64_t n, unsigned states);
/* Whether n stored values never fall. */
bool puan_stored_sorted(const void *data, unsigned width, uint64_t n);

/* ---- where columns go -------------------------------------------------------- */

/* Columns of one entity, in memory or in a file at offsets of choice. */
struct puan_image {
    size_t n_columns;
    uint64_t rows;
    unsigned *width; /* [column]; 0: left out */
    void **data;     /* [column] in memory, else NULL */
    int fd;          /* in a file, else -1 */
    const char *path;
    uint64_t *offset; /* [column], in a file */
    uint64_t end;     /* behind the last column */
    struct puan_blocks *blocks; /* of a file, while it is put together */
};

/* All of n bytes to their place in a file.  EWRITE */
PUAN_MUST_USE enum puan_status puan_put_bytes(int fd, const char *path,
                                              uint64_t at, const void *data,
                                              uint64_t n, struct puan_err *err);

/*
 * A file of `end` bytes put together from pieces by several threads.  First
 * every part of it that will come is expected, from one thread; then all of
 * them are put, each once; bytes that are never expected become zero.  What
 * was put is in the file when all of it was.  `path` is for errors.
 */
struct puan_blocks;
PUAN_MUST_USE enum puan_status puan_blocks_new(struct puan_blocks **out, int fd,
                                               const char *path, uint64_t end,
                                               struct puan_err *err);
void puan_blocks_expect(struct puan_blocks *b, uint64_t at, uint64_t n);
PUAN_MUST_USE enum puan_status puan_blocks_put(struct puan_blocks *b,
                                               uint64_t at, const void *data,
                                               uint64_t n,
                                               struct puan_err *err);
void puan_blocks_free(struct puan_blocks *b); /* NULL is fine */

PUAN_MUST_USE enum puan_status puan_image_put(const struct puan_image *im,
                                              size_t column, uint64_t row,
                                              const void *p, uint64_t rows,
                                              struct puan_err *err);

/* What is left to do when all values of a column are there. */
struct puan_finish {
    uint64_t add;        /* to every stored value */
    const uint32_t *map; /* or a new number for each; NULL: none */
    unsigned states;
    bool sorted;     /* out */
    uint8_t *digest; /* out, NULL: not wanted; of every
                        PUAN_FRAME_DIGEST_CHUNK bytes */
};
/* Does it for all columns at once, by all threads. */
PUAN_MUST_USE enum puan_status
puan_image_finish(struct puan_finish *f, const struct puan_image *im,
                  unsigned threads, struct puan_err *err);

/* ---- CSV -------------------------------------------------------------------- */

/* What the reader gives: the items of the columns that were not left out, with
   no data yet, and what must outlive them. */
struct puan_csv_read {
    struct puan_arena arena; /* names, code lists, states, digests */
    struct puan_image image;
    struct puan_frame_item *item; /* [column] */
    struct puan_finish *finish;   /* [column] */
};
/*
 * Reads into memory, or into the file `fd` (>= 0), from
 * PUAN_FRAME_COLUMNS_AT on.  Clear it in any case.
 */
PUAN_MUST_USE enum puan_status
puan_csv_frame_read(struct puan_csv_read *out, const char *const *paths,
                    size_t n, const struct puan_frames_options *opt, int fd,
                    const char *file, struct puan_err *err);
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
    struct puan_csv_read csv; /* of a frame from CSV */
    bool from_csv;
    struct puan_frames_pages *pages;
    struct puan_frame frame;
    unsigned threads;
};
/* Zeroed memory that goes with the frame; NULL when there is none. */
void *puan_frames_pages(struct puan_frames *f, size_t n);

#endif
