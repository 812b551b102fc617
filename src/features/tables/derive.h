/*
 * Columns that are computed before counting: expressions over rows below, over
 * many items at once, or over derived items of rule texts.
 *
 * Depends on: core/table, core/rule/lanes, kit/job.
 */
#ifndef PUAN_FEATURES_TABLES_DERIVE_H
#define PUAN_FEATURES_TABLES_DERIVE_H

#include "core/rule/lookup.h"
#include "core/table/tabulate.h"

struct puan_derive_texts { /* rule texts whose derived items may be used */
    const struct puan_str *text;
    const char *const *file;
    size_t n;
    const struct puan_lookup *lookups; /* data of the tables they declare */
    size_t n_lookups;
};

/*
 * Fills the `item` of every want with a column; memory from `a`, which must
 * outlive the counting.
 *
 * EINVAL  an expression does not compile over the frame
 */
PUAN_MUST_USE enum puan_status
puan_derive(struct puan_tab_want *want, size_t n, const struct puan_frame *f,
            const struct puan_tab_programme *p,
            const struct puan_derive_texts *texts, unsigned threads,
            struct puan_arena *a, struct puan_err *err);

#endif
