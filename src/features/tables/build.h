/*
 * The table builder of an office: any table of an area's returns, asked for in
 * the rule language, counted from a frame of the campaign that is kept a while.
 *
 * Cells under the plan's release_min_cell are withheld whatever the area: a
 * filter may narrow any of them down to a person.  So is what would give one
 * away by subtraction.  Each table made is an entry of the office store that
 * holds the question.
 *
 * Depends on: features/frame, core/table.  Of this folder only.
 */
#ifndef PUAN_FEATURES_TABLES_BUILD_H
#define PUAN_FEATURES_TABLES_BUILD_H

#include "features/host/feature.h"

struct puan_builder; /* the frame kept beside an open store */

PUAN_MUST_USE enum puan_status puan_builder_open(struct puan_builder **out,
                                                 struct puan_err *err);
void puan_builder_close(struct puan_builder *b); /* NULL is fine */
/* The one of a store: made by the feature's open hook (cache.h). */
struct puan_builder *puan_builder_of(struct puan_store *st);

struct puan_build_in {
    int64_t area;
    struct puan_str of, by, show, where, base;
    bool fresh;
};
enum puan_status puan_build_table(struct puan_request *rq, const void *in,
                                  struct puan_err *err);
/* What may be asked for: units, levels, items with their codes, variables. */
enum puan_status puan_build_items(struct puan_request *rq, const void *in,
                                  struct puan_err *err);

#endif
