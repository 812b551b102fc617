/*
 * A paper laid out: slugs one below another, cut into pages and drawn.  The
 * places of the parts are those of GB/T 9704-2012; see doc/papers.md.
 *
 * Depends on: type.
 */
#ifndef PUAN_PROGRAMS_PAPER_SHEET_H
#define PUAN_PROGRAMS_PAPER_SHEET_H

#include "programs/paper/type.h"

/* Writes the whole file through `put`; *pages gets their number. */
PUAN_MUST_USE enum puan_status
puan_sheet_print(int *pages, const struct puan_paper *p,
                 cairo_write_func_t put, void *ctx, struct puan_err *err);

#endif
