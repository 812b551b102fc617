/*
 * Frames to work on, from frame files or from CSV.
 *
 * A frame file is mapped; CSV files are read by all cores into a frame in
 * memory.  Either way the caller sees one struct puan_frame (core/frame) and
 * need not know which.
 *
 * CSV: RFC 4180, UTF-8, a header of item names.  Several files have the same
 * header; their rows follow one another.  What a column holds is found out
 * from all of its values:
 *
 *   whole numbers                INT, up to 2^64 - 1 (then a token)
 *   numbers with a decimal point FIXED, as many places as the longest (<= 9)
 *   2020-11, 2020-11-01          MONTH, DATE
 *   digits of one length, some with a zero in front (or asked for by
 *   `digits`): AREA, digits kept
 *   anything else                CODE of a list of the texts, ascending by
 *                                bytes; at most PUAN_FRAMES_TEXTS of them
 *   nothing                      missing, no reason stated
 *
 * Cells are trimmed of blanks.  A byte order mark and CR LF are fine.
 *
 * Does file I/O, runs threads.  Never changes its input.
 */
#ifndef PUAN_FEATURES_FRAME_FRAMES_H
#define PUAN_FEATURES_FRAME_FRAMES_H

#include "base/out.h"
#include "core/frame/frame.h"
#include "features/host/feature.h"

#define PUAN_FRAMES_TEXTS 65536

/* Rows that agree in all `item`s, and in those of the levels before it. */
struct puan_frames_level {
    struct puan_str name;
    const struct puan_str *item;
    size_t n_items;
};

struct puan_frames_options {
    const struct puan_frames_level *level; /* outermost first */
    size_t n_levels;
    struct puan_str entity; /* what a row of a CSV file is; empty: "person" */
    struct puan_str missing; /* a text that means no answer, as an empty cell
                                does; empty: none */
    const struct puan_str *skip; /* columns not to read */
    size_t n_skip;
    const struct puan_str *token; /* columns of texts of which the first 8 bytes
                                     of the SHA-256 are kept */
    size_t n_token;
    const struct puan_str *digits; /* columns of codes all as long, whose
                                      digits mean something: AREA, also when
                                      none begins with a zero */
    size_t n_digits;
    unsigned threads; /* 0: one per core */
    bool digest;      /* of a frame made in memory, too; else it is zeros */
    bool quiet;       /* no progress bar */
    bool unchecked;   /* the caller checks what it uses (puan_frame_check_one);
                         levels named here are checked all the same */
    size_t chunk;     /* bytes a thread reads at a time; 0: 1 MiB */
};

struct puan_frames;

/*
 * Opens what `paths` name: one frame file, or CSV files.  opt may be NULL.
 * Levels that a frame file has not are added as puan_frames_group does.
 *
 * EINVAL  not a frame or CSV; the error has file, line and column
 * EIO     cannot be read   ELIMIT  too many rows or texts
 */
PUAN_MUST_USE enum puan_status
puan_frames_load(struct puan_frames **out, const char *const *paths, size_t n,
                 const struct puan_frames_options *opt, struct puan_err *err);
void puan_frames_close(struct puan_frames *f); /* NULL is fine */

/* Lives until close, also when levels are added later. */
const struct puan_frame *puan_frames_frame(const struct puan_frames *f);
/* Whether the path holds a frame file, by its first bytes. */
bool puan_frames_is(const char *path);

/*
 * Adds levels above the file's own entity (the last one), in memory; those
 * that are there by name are left alone and must be by the same items.  The
 * frame's struct changes in place: entity indexes are those of a new look.
 * A level's own items are there again as items of the level.  Rows of a level
 * that do not stand together are brought together, which copies every column:
 * *moved says how many rows were not where they had been (may be NULL).
 *
 * EINVAL  no such item; a level of that name by other items
 */
PUAN_MUST_USE enum puan_status
puan_frames_group(struct puan_frames *f, const struct puan_frames_level *level,
                  size_t n, uint64_t *moved, struct puan_err *err);

/*
 * Makes a frame file of what `paths` name, straight, with no second copy in
 * memory, and opens it.  Replaces `path` as a whole.  *moved as above (may be
 * NULL).  Errors as puan_frames_load.
 */
PUAN_MUST_USE enum puan_status
puan_frames_make(struct puan_frames **out, const char *path,
                 const char *const *paths, size_t n,
                 const struct puan_frames_options *opt, uint64_t *moved,
                 struct puan_err *err);

/* Computes the digest of a frame in memory. */
PUAN_MUST_USE enum puan_status puan_frames_digest(struct puan_frames *f,
                                                  struct puan_err *err);

/* Writes the frame as a file, replacing it as a whole; fills the digest. */
PUAN_MUST_USE enum puan_status puan_frames_write(struct puan_frames *f,
                                                 const char *path,
                                                 struct puan_err *err);

/*
 * Rows of an entity whose `item`s (all of them given) are the same as those of
 * another row: exactly, not by likeness.  Groups are numbered from 0 in the
 * order of their first rows; row and group are ascending by row.
 *
 * Memory for a bit or two a row and for the rows found, not for a copy of the
 * column.
 */
struct puan_frames_twice {
    uint64_t groups, n; /* rows in them */
    uint64_t absent;    /* rows in which an item is not given */
    uint32_t *row, *group; /* [n]; free() them */
};
PUAN_MUST_USE enum puan_status
puan_frames_duplicates(struct puan_frames_twice *out,
                       const struct puan_frame_entity *e, const int *item,
                       size_t n_items, unsigned threads, struct puan_err *err);

/* A value as a CSV cell holds it; nothing where it is not given. */
void puan_frames_text(struct puan_out *o, const struct puan_frame_item *item,
                      uint64_t row);

extern const struct puan_feature puan_feature_frame;

#endif
