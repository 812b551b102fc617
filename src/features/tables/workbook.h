/*
 * Tables as an Office Open XML workbook (libxlsxwriter), as an office prints
 * them: a sheet for each table with number, title, stub and box head, totals
 * first, thousands apart, frozen heads, print titles; a list of tables first.
 *
 * Depends on: core/table, libxlsxwriter.
 */
#ifndef PUAN_FEATURES_TABLES_WORKBOOK_H
#define PUAN_FEATURES_TABLES_WORKBOOK_H

#include "core/table/tabulate.h"

struct puan_workbook;

/* `en`: labels and titles in English, else in Chinese. */
PUAN_MUST_USE enum puan_status
puan_workbook_open(struct puan_workbook **out, const char *path,
                   const struct puan_tab_programme *p, bool en,
                   struct puan_err *err);
/* ELIMIT  more rows or columns than a sheet has (1048576 x 16384) */
PUAN_MUST_USE enum puan_status
puan_workbook_add(struct puan_workbook *b, const struct puan_tab_result *r,
                  struct puan_arena *a, struct puan_err *err);
/* Writes the file when `keep`, else throws it away; frees b. */
PUAN_MUST_USE enum puan_status puan_workbook_close(struct puan_workbook *b,
                                                   bool keep,
                                                   struct puan_err *err);

#endif
