/*
 * A frame: coded columns, as narrow as their values allow, laid out so that a
 * file mapped into memory is ready to be read.  All batch work (edits, tables,
 * evaluation, sampling) runs over frames.  A frame is derived and can be made
 * again; it is never the truth.
 *
 * A frame is a tree of entities, outermost first.  The rows of an entity stand
 * in the order of its parent's rows: those of parent row p are
 * first[p] <= row < first[p + 1].  A plain file of persons has one entity; the
 * levels it was told of (an enumeration area, a household, by the items that
 * are equal throughout) stand above it.
 *
 * A value is base + stored; a stored value of `stop` or more is not given and
 * states[stored - stop] says why.  Items that are given throughout have no
 * states, and stop is beyond what the width holds.
 *
 * Depends on: form.  Does no I/O; the columns are borrowed from the bytes.
 */
#ifndef PUAN_CORE_FRAME_FRAME_H
#define PUAN_CORE_FRAME_FRAME_H

#include "core/form/record.h"

/* Most rows of one entity: offsets are 32 bits wide. */
#define PUAN_FRAME_ROWS (UINT32_MAX - 1u)
#define PUAN_FRAME_ALIGN 64 /* bytes; every column starts so */
#define PUAN_FRAME_ENTITIES 32
#define PUAN_FRAME_ITEMS 16384 /* of one entity, as columns of CSV */
#define PUAN_FRAME_STATES 64  /* of one item */

struct puan_frame_state {
    enum puan_state state; /* never GIVEN */
    int64_t reason;        /* MISSING: code of the reason, 0 none stated */
};

struct puan_frame_item {
    struct puan_str name, zh, en;
    enum puan_item_type type; /* CODE INT FIXED MONTH DATE AREA FACT; of TEXT
                                 NAME CITIZEN_ID PHONE POINT only the state: a
                                 given one has the value 0 */
    unsigned places, digits;           /* FIXED; AREA */
    const struct puan_codelist *codes; /* CODE, else NULL */
    uint8_t width;                     /* bytes a stored value: 1 2 4 8 */
    int64_t base;
    uint64_t stop; /* stored < stop: given */
    const struct puan_frame_state *states;
    size_t n_states;
    int64_t least, most; /* of given values; least > most: none is given */
    uint64_t n_given;    /* of the entity's rows */
    bool sorted;         /* never falls from row to row, states included */
    bool token; /* INT beyond 63 bits, an identity: base 0, and least, most
                   and puan_frame_value are uint64_t in the bits of an int64_t.
                   For equality, not for arithmetic. */
    const void *data;    /* rows x width bytes, little endian, unsigned */
};

struct puan_frame_entity {
    struct puan_str name, zh, en; /* "ea", "household", "person" */
    int parent;                   /* entity index, -1: none */
    uint64_t rows;
    const uint32_t *first; /* parent's rows + 1; NULL without a parent */
    const struct puan_frame_item *item;
    size_t n_items;
    /* Of a level made from a plain file: the items of the file's own entity
       that name a row here, by index there; outermost first. */
    const uint16_t *key;
    size_t n_key;
};

struct puan_frame {
    const struct puan_frame_entity *entity;
    size_t n_entities;
    struct puan_str source;  /* what it was made from, as a reader is told */
    struct puan_str form;    /* id of the form, empty for a plain file */
    uint8_t digest[PUAN_DIGEST_SIZE]; /* of the codebook and columns */
};

/*
 * A frame over the bytes of a frame file, which must outlive it and stand at a
 * multiple of PUAN_FRAME_ALIGN.  Everything the header says is checked against
 * the size; the columns themselves are not read.
 *
 * EINVAL  not a frame, of another version, cut short or inconsistent
 */
PUAN_MUST_USE enum puan_status puan_frame_open(struct puan_frame **out,
                                               const void *bytes, size_t n,
                                               struct puan_arena *a,
                                               struct puan_err *err);

/*
 * Writing a frame file: 64 bytes of head, columns wherever they fit at
 * multiples of PUAN_FRAME_ALIGN, and the codebook, which says where they are.
 * Columns are numbered in the order of entities, `first` of an entity (where
 * it has a parent) before its items.
 *
 * EINVAL  an entity or item the reader would refuse
 */
#define PUAN_FRAME_HEAD 64
#define PUAN_FRAME_COLUMNS_AT 4096 /* where the first column may well stand */

/* How many columns; and of each the bytes it takes. */
size_t puan_frame_columns(const struct puan_frame *f);
uint64_t puan_frame_column_size(const struct puan_frame *f, size_t column);
/*
 * The codebook for columns at `offset`.  With offset NULL: what of a frame is
 * digested, which is the same wherever its columns stand and whatever file it
 * came from.  The digest is SHA-256 over that and over the SHA-256 of every
 * 4 MiB (or less, at its end) of every column in turn.
 */
#define PUAN_FRAME_DIGEST_CHUNK (4u << 20)
PUAN_MUST_USE enum puan_status
puan_frame_codebook(struct puan_str *out, const struct puan_frame *f,
                    const uint64_t *offset, struct puan_arena *a,
                    struct puan_err *err);
/* The head of a file of `size` bytes with its codebook at `at`, n long. */
void puan_frame_head(uint8_t out[PUAN_FRAME_HEAD], const struct puan_frame *f,
                     uint64_t size, uint64_t at, uint64_t n);

/*
 * Whether the rows of every entity are parted as `first` must part them: from
 * 0, never falling, up to its rows.  Reads those columns whole; a frame from a
 * file that is not trusted is not used before.  Of one entity: for who looks at
 * few of them.
 *
 * EINVAL  they are not
 */
PUAN_MUST_USE enum puan_status puan_frame_check(const struct puan_frame *f,
                                                struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_frame_check_one(const struct puan_frame *f,
                                                    size_t entity,
                                                    struct puan_err *err);

/* Index by name, or -1.  Items are also found by the name in another case. */
int puan_frame_entity(const struct puan_frame *f, struct puan_str name);
int puan_frame_item(const struct puan_frame_entity *e, struct puan_str name);

/* One stored value; for single looks, not for loops over columns. */
static inline uint64_t puan_frame_stored(const struct puan_frame_item *it,
                                         uint64_t row)
{
    switch (it->width) {
    case 1:
        return ((const uint8_t *)it->data)[row];
    case 2:
        return ((const uint16_t *)it->data)[row];
    case 4:
        return ((const uint32_t *)it->data)[row];
    default:
        return ((const uint64_t *)it->data)[row];
    }
}
/* The value of a row; *state says whether it is one. */
static inline int64_t puan_frame_value(enum puan_state *state,
                                       const struct puan_frame_item *it,
                                       uint64_t row)
{
    uint64_t s = puan_frame_stored(it, row);

    *state = PUAN_GIVEN;
    if (s < it->stop || it->n_states == 0)
        return (int64_t)((uint64_t)it->base + s);
    *state = s - it->stop < it->n_states ? it->states[s - it->stop].state
                                         : PUAN_INVALID;
    return 0;
}

#endif
