/*
 * Rows made in parts by many threads, written in the order of the parts: what
 * is ready early waits in memory for those before it.
 *
 * Depends on: sheet.  Parts may be put by any thread, each once.
 */
#ifndef PUAN_KIT_SHEET_PARTS_H
#define PUAN_KIT_SHEET_PARTS_H

#include "kit/sheet/sheet.h"

struct puan_sheet_parts;

/* `n` parts of `to`, which the caller finishes after the last. */
PUAN_MUST_USE enum puan_status
puan_sheet_parts_open(struct puan_sheet_parts **out, struct puan_sheet_out *to,
                      size_t n, struct puan_err *err);
/* Hands part i (below n) over; `rows` is copied and may be empty. */
PUAN_MUST_USE enum puan_status puan_sheet_parts_put(struct puan_sheet_parts *p,
                                                    size_t i,
                                                    struct puan_str rows,
                                                    struct puan_err *err);
/* Parts that still wait are dropped.  NULL is fine. */
void puan_sheet_parts_close(struct puan_sheet_parts *p);

#endif
