/*
 * Columns of CSV that became texts because of a few cells only: a column of
 * ages with one "n/a" in it is a list of codes, and no mean can be taken.
 *
 * Reads the CSV files again as far as the first such cells.  Never changes the
 * frame.
 */
#ifndef PUAN_FEATURES_FRAME_DOUBT_H
#define PUAN_FEATURES_FRAME_DOUBT_H

#include "features/frame/frames.h"

/* At most this share of a column's cells may be amiss for it to be doubted;
   citizen IDs, of which one in eleven ends with X, are not. */
#define PUAN_DOUBT_SHARE 0.05

struct puan_frames_doubt {
    struct puan_str item, text; /* the first cell that is amiss */
    const char *kind;           /* what the others are: "number" */
    uint64_t amiss, given;      /* cells */
    const char *file;           /* NULL: it cannot be read again */
    uint32_t line, column;      /* of the first one; the column from 1 */
};

/* At most `most` of them; texts live in `a`.  0 for frames not from CSV. */
size_t puan_frames_doubts(struct puan_frames_doubt *out, size_t most,
                          const struct puan_frames *f, const char *const *paths,
                          size_t n, const struct puan_frames_options *opt,
                          struct puan_arena *a);

/* Says them on standard error, "puan COMMAND: file:line: …". */
void puan_frames_warn(const char *command, const struct puan_frames *f,
                      const char *const *paths, size_t n,
                      const struct puan_frames_options *opt);

#endif
