/*
 * Variables that many expressions of a programme share, made once as columns.
 *
 * A condition over many items at once becomes a column of its own.  Where a
 * hundred conditions begin with the same variable ("who is a resident"), that
 * variable as a column leaves each of them few combinations of values, which
 * are looked at one by one and need no column.
 *
 * Depends on: core/table, core/rule/lanes, kit/job.
 */
#ifndef PUAN_FEATURES_TABLES_SHARED_H
#define PUAN_FEATURES_TABLES_SHARED_H

#include "features/tables/derive.h"

/*
 * *f and *p become a frame with those columns and a programme that reads them,
 * both in `a`, which must outlive the counting; or stay as they are.  The same
 * cells are counted either way.
 */
PUAN_MUST_USE enum puan_status
puan_derive_shared(const struct puan_frame **f,
                   const struct puan_tab_programme **p,
                   const struct puan_derive_texts *texts, unsigned threads,
                   struct puan_arena *a, struct puan_err *err);

#endif
