/*
 * Workbooks (.xlsx, ECMA-376) as grids of text.  Values only: shared, inline
 * and formula strings, numbers as people write them, true and false.  No
 * styles, so a date that a cell shows is the number that stands in it; no
 * formula is computed, the value kept with it is taken.
 *
 * Everything in such a file comes from outside.  Bounded: bytes of the file,
 * parts, bytes a part and all parts unpack to (counted while unpacking, not
 * believed), sheets, rows, columns, cells, bytes of text.  A document type is
 * refused, so no entity is ever defined; nothing is fetched.
 *
 * Depends on: base/grid, minizip, libxml2.
 */
#ifndef PUAN_KIT_XLSX_XLSX_H
#define PUAN_KIT_XLSX_XLSX_H

#include "base/arena.h"
#include "base/grid.h"

#define PUAN_XLSX_BYTES (16u << 20)      /* of the file */
#define PUAN_XLSX_PARTS 2000             /* files inside */
#define PUAN_XLSX_PART_BYTES (32u << 20) /* one of them, unpacked */
#define PUAN_XLSX_ALL_BYTES (64u << 20)  /* all that are read, unpacked */
#define PUAN_XLSX_SHEETS 64
#define PUAN_XLSX_COLUMNS 2048
#define PUAN_XLSX_ROWS 200000u     /* rows with a value, all sheets */
#define PUAN_XLSX_CELLS 2000000u   /* cells with a value */
#define PUAN_XLSX_TEXT (32u << 20) /* bytes of the cells together */

struct puan_xlsx {
    const struct puan_grid *sheet; /* in the workbook's order */
    size_t n;
};

/*
 * The sheets of a workbook that lies in memory; all texts are copied into the
 * arena and are valid UTF-8.  `file` names it in error texts; parts and rows
 * are named behind it, "x.xlsx:xl/workbook.xml".
 *
 * EINVAL  no ZIP file, no workbook (an old .xls is told apart), broken XML, a
 *         document type
 * ELIMIT  a bound above
 */
PUAN_MUST_USE enum puan_status puan_xlsx_read(struct puan_xlsx *out,
                                              struct puan_str bytes,
                                              const char *file,
                                              struct puan_arena *a,
                                              struct puan_err *err);

/* One sheet out of its XML alone, for tests and fuzzing; `shared` are the
   texts that cells of type s point to. */
PUAN_MUST_USE enum puan_status
puan_xlsx_sheet(struct puan_grid *out, struct puan_str xml,
                const struct puan_str *shared, size_t n_shared,
                const char *where, struct puan_arena *a, struct puan_err *err);

#endif
