/*
 * The cells of a workbook's sheets as text, whoever read them: kit/xlsx fills
 * grids, core reads forms out of them.
 *
 * Depends on: text.  A grid lives in the arena it was read into.
 */
#ifndef PUAN_BASE_GRID_H
#define PUAN_BASE_GRID_H

#include "base/text.h"

struct puan_grid_row {
    uint32_t line;               /* as the sheet counts, from 1 */
    const struct puan_str *cell; /* by column, A first; empty: no value */
    uint32_t n;                  /* cells up to the last with a value */
};

struct puan_grid {
    struct puan_str name; /* of the sheet */
    const struct puan_grid_row *row; /* those with a value, ascending */
    uint32_t n;
};

/* The cell of a row, empty beyond its end. */
static inline struct puan_str puan_grid_cell(const struct puan_grid_row *r,
                                             uint32_t column)
{
    return column < r->n ? r->cell[column] : (struct puan_str){ "", 0 };
}

#endif
