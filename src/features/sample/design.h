/*
 * The design of a sample out of its columns: units in the order of strata and
 * primary units, as core/sample/estimate.h wants them.
 */
#ifndef PUAN_FEATURES_SAMPLE_DESIGN_H
#define PUAN_FEATURES_SAMPLE_DESIGN_H

#include "core/sample/estimate.h"
#include "features/sample/columns.h"

#define PUAN_NO_COLUMN SIZE_MAX

/* Which of the columns says what; PUAN_NO_COLUMN: none does. */
struct puan_design_columns {
    size_t weight;  /* number; else 1 */
    size_t strata;  /* label; else one stratum */
    size_t cluster; /* label; else each row is a primary unit */
    size_t units;   /* number of primary units in the row's stratum */
    size_t second;  /* number of units in the row's primary unit */
    size_t p;       /* probability of the row's primary unit */
};

struct puan_laid_out {
    struct puan_design d;
    uint32_t *row;     /* the file's row of each unit, 0-based */
    uint32_t left_out; /* rows without weight, stratum or cluster */
};

/*
 * EINVAL  no row has a weight; a number of units that is none, or that differs
 *         within a stratum
 */
PUAN_MUST_USE enum puan_status
puan_design_lay_out(struct puan_laid_out *out, const struct puan_column *col,
                    const struct puan_design_columns *where, uint32_t rows,
                    struct puan_arena *a, struct puan_err *err);

#endif
