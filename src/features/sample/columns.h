/*
 * A few columns of a file as numbers or labels, in memory: for statistics over
 * samples and areas, not for whole censuses (those read frames in place).
 *
 * Reads a frame file or CSV files of one header alike.  Items of the levels
 * above the frame's last entity are given for each of its rows.
 *
 * Does file I/O.  Everything lives in the caller's arena.
 */
#ifndef PUAN_FEATURES_SAMPLE_COLUMNS_H
#define PUAN_FEATURES_SAMPLE_COLUMNS_H

#include "base/arena.h"
#include "core/frame/frame.h"

#define PUAN_NO_LABEL UINT32_MAX

struct puan_column {
    struct puan_str name;
    double *value;         /* NAN where no answer is given */
    uint32_t *label;       /* PUAN_NO_LABEL where none is */
    struct puan_str *text; /* of the labels, in the order of their numbers:
                              numbers by size, texts by bytes */
    uint32_t n_text;
    bool number; /* value is filled, else label and text */
    bool optional;
    bool there; /* the file has it */
};

/*
 * EINVAL     a cell is no number; files with other headers
 * ENOTFOUND  no such column; the error names file and column
 */
PUAN_MUST_USE enum puan_status
puan_columns_load(struct puan_column *col, size_t n_cols, uint32_t *rows,
                  const char *const *paths, size_t n_paths,
                  struct puan_arena *a, struct puan_err *err);

/* The text of a given value of a frame's item, as CSV has it. */
struct puan_str puan_frame_text(const struct puan_frame_item *it, int64_t value,
                                struct puan_arena *a);

/* Numbers before texts, numbers by size: "9" before "10". */
int puan_label_cmp(struct puan_str a, struct puan_str b);

/* Splits "A,B,C" into at most `most` names; false when there are more or one
   is empty. */
bool puan_names_split(struct puan_str *out, size_t *n, size_t most,
                      const char *list);

#endif
