/*
 * The listing roll of an area as a frame to draw from: keys of households, and
 * the CSV they are drawn from (register.h).
 *
 * Reads stores.
 */
#ifndef PUAN_FEATURES_SAMPLE_ROLL_H
#define PUAN_FEATURES_SAMPLE_ROLL_H

#include "base/out.h"
#include "features/store/store.h"

/*
 * Keys of the roll of an area, ascending, without those that need no return.
 *
 * ENOTFOUND  no such area
 */
PUAN_MUST_USE enum puan_status
puan_roll_keys(int64_t **keys, size_t *n, struct puan_store *st, int64_t area,
               struct puan_arena *a, struct puan_err *err);

/* Keys as bytes: first and differences, varints; and back.  EINVAL damaged. */
void puan_roll_keep(struct puan_out *o, const int64_t *key, size_t n);
PUAN_MUST_USE enum puan_status puan_roll_kept(int64_t **keys, size_t *n,
                                              struct puan_str bytes,
                                              struct puan_arena *a,
                                              struct puan_err *err);

/* How many levels the CSV has columns of, and the first, the area's own. */
unsigned puan_roll_levels(unsigned *first, const struct puan_area_tree *t,
                          int64_t area);
PUAN_MUST_USE enum puan_status puan_roll_csv(struct puan_str *csv,
                                             const struct puan_area_tree *t,
                                             int64_t area, const int64_t *key,
                                             size_t n, struct puan_arena *a,
                                             struct puan_err *err);

#endif
