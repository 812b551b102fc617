/*
 * What a cell of CSV looks like, what a column of such cells is, and how its
 * cells are read: one at a time, or 256 at once where they are numbers.
 *
 * Depends on: base.  Does no I/O.
 */
#ifndef PUAN_FEATURES_FRAME_CELL_H
#define PUAN_FEATURES_FRAME_CELL_H

#include "features/frame/internal.h"

/* A column's set of these decides what it is. */
enum {
    PUAN_SEEN_NUMBER = 1,   /* whole, not below zero, no zero in front */
    PUAN_SEEN_NEGATIVE = 2,
    PUAN_SEEN_ZEROS = 4,    /* digits, zero in front */
    PUAN_SEEN_DECIMAL = 8,
    PUAN_SEEN_MONTH = 16,
    PUAN_SEEN_DATE = 32,
    PUAN_SEEN_TEXT = 64,
    PUAN_SEEN_BIG = 128,    /* whole, from 2^63 */
    PUAN_SEEN_EMPTY = 256
};

enum puan_cell_kind {
    PUAN_CELL_NUMBER,
    PUAN_CELL_FIXED,
    PUAN_CELL_MONTH,
    PUAN_CELL_DATE,
    PUAN_CELL_DIGITS,
    PUAN_CELL_TEXT,
    PUAN_CELL_TOKEN,
    PUAN_CELL_SKIP
};

/* What a column is taken for. */
struct puan_cell_plan {
    enum puan_cell_kind kind;
    uint8_t places; /* FIXED */
    uint8_t digits; /* DIGITS */
};

/* What was seen of a column. */
struct puan_cell_sum {
    struct puan_range range; /* of given values, as the plan reads them */
    uint64_t given;
    uint16_t seen;
    uint8_t places;                    /* most decimals */
    uint8_t least_digits, most_digits; /* of cells of digits only */
};
#define PUAN_CELL_SUM_NONE                                                     \
    ((struct puan_cell_sum){ .range = PUAN_RANGE_NONE, .least_digits = 255 })
void puan_cell_sum_join(struct puan_cell_sum *s,
                        const struct puan_cell_sum *x);
/* What a column is of which that was seen. */
struct puan_cell_plan puan_cell_plan_of(const struct puan_cell_sum *s);

#define PUAN_BLOCK_ROWS 256

/* Cells of one column in rows that follow one another. */
struct puan_block {
    const char *text;    /* of the chunk; 64 bytes around it may be read */
    const uint32_t *end; /* of the first row's cell; end[-1] that before it */
    size_t stride;       /* cells of a row */
    uint32_t rows;
    bool last; /* column of the row: may end in CR */
    bool some_long; /* of more than 8 digits, last time */
    bool some_empty;
    uint64_t v[PUAN_BLOCK_ROWS];
    uint8_t st[PUAN_BLOCK_ROWS]; /* 1: empty; only when some are */
    struct puan_cell_sum sum;
};

/*
 * Cells that are empty or whole numbers of at most 20 digits (DIGITS: of
 * p->digits; MONTH, DATE: such), all of them; false when a cell is something
 * else, and then the block says nothing.
 */
bool puan_block_numbers(struct puan_block *b, const struct puan_cell_plan *p);

/*
 * The text of a cell: without its quotes, trimmed, doubled quotes once, in
 * `room` if there were any.  False when a quote stands where none may, or it
 * is no UTF-8, or has a zero byte.
 */
bool puan_block_text(struct puan_str *out, const struct puan_block *b,
                     uint32_t row, struct puan_arena *room);

/*
 * Takes a cell's text for a value of the plan (0 where it is none), and notes
 * what it looks like.  TEXT and TOKEN are numbered by the caller.
 */
void puan_block_cell(struct puan_block *b, uint32_t row,
                     const struct puan_cell_plan *p, struct puan_str text);
/* Range and number of what puan_block_cell took. */
void puan_block_sum(struct puan_block *b, const struct puan_cell_plan *p);

#endif
