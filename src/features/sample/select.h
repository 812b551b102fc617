/*
 * A draw over a frame: strata, one or two stages, the rows taken with their
 * weights, as CSV; and what makes it redoable.
 *
 * Reads frames; the CSV is text in memory.
 */
#ifndef PUAN_FEATURES_SAMPLE_SELECT_H
#define PUAN_FEATURES_SAMPLE_SELECT_H

#include "base/digest.h"
#include "core/sample/draw.h"
#include "features/frame/frames.h"
#include "features/sample/keys.h"

enum puan_drawing {
    PUAN_SIMPLE,
    PUAN_SYSTEMATIC, /* a number taken */
    PUAN_EVERY,      /* an interval */
    PUAN_PPS
};

#define PUAN_COLUMNS_MOST 32

struct puan_select {
    const char *unit;    /* entity drawn first; NULL: the innermost */
    const char *within;  /* entity drawn of those; NULL: one stage */
    const char *strata;  /* "ITEM,ITEM" of the unit or above; NULL: one */
    const char *size;    /* item, or entity whose rows below are counted */
    const char *columns; /* items to write; NULL: those that name a row */
    enum puan_drawing method, then;
    uint32_t take;               /* in all; 0: by rate, each or every */
    uint32_t take_each;          /* of each stratum */
    uint32_t every;              /* PUAN_EVERY */
    uint32_t rate_num, rate_den; /* share of each stratum; den 0: none */
    uint32_t then_take, then_every;
    const char *allocate; /* proportional equal root */
    uint32_t least;       /* of each stratum, under an allocation */
    const char *takes;    /* file stratum,take */
    struct puan_str seed;
    const struct puan_digest_fn *digest;
};

struct puan_stratum_drawn {
    struct puan_str label;
    uint32_t units, take, certain;
    uint64_t size, second; /* total size; second-stage rows taken */
};

struct puan_drawn_rows {
    char *csv; /* malloc */
    size_t n, room;
    uint64_t rows;
    struct puan_stratum_drawn *stratum;
    size_t n_strata;
    uint8_t digest[PUAN_DIGEST_SIZE]; /* of the CSV's bytes */
};

/*
 * EINVAL     what cannot be drawn, said by option
 * ENOTFOUND  no such entity or item
 */
PUAN_MUST_USE enum puan_status puan_select(struct puan_drawn_rows *out,
                                           const struct puan_frame *f,
                                           const struct puan_select *s,
                                           struct puan_arena *a,
                                           struct puan_err *err);
void puan_drawn_clear(struct puan_drawn_rows *d);

#endif
