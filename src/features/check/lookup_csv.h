/*
 * A reference table's data out of a CSV file, for the rules of
 * `table geo by region, township gives control`.
 *
 * Does file I/O.
 */
#ifndef PUAN_FEATURES_CHECK_LOOKUP_CSV_H
#define PUAN_FEATURES_CHECK_LOOKUP_CSV_H

#include "core/frame/frame.h"
#include "core/rule/lookup.h"

/*
 * Columns are found by the names the table declares; others are passed over.
 * A column with the name of an item of the frame is read as that item, any
 * other holds whole numbers.  An empty cell is missing.  Lives in the arena.
 *
 * EINVAL  no such column, an empty key, another kind of value: with line
 * ECONFLICT  two rows with the same keys
 */
PUAN_MUST_USE enum puan_status
puan_lookup_csv(struct puan_lookup *out, const struct puan_rule_table *decl,
                const char *path, const struct puan_frame *frame,
                struct puan_arena *a, struct puan_err *err);

#endif
