/*
 * The parts of a ZIP file in memory.  Private to kit/xlsx.
 */
#ifndef PUAN_KIT_XLSX_ZIP_H
#define PUAN_KIT_XLSX_ZIP_H

#include "base/arena.h"

struct puan_zip;

/* Fails with EINVAL when the bytes are no ZIP file, ELIMIT for more than
   PUAN_XLSX_PARTS parts.  `file` and the bytes must outlive it. */
PUAN_MUST_USE enum puan_status puan_zip_open(struct puan_zip **out,
                                             struct puan_str bytes,
                                             const char *file,
                                             struct puan_arena *a,
                                             struct puan_err *err);
void puan_zip_close(struct puan_zip *z); /* NULL is fine */

/*
 * One part, unpacked into the arena.
 *
 * ENOTFOUND  no part of that name   EINVAL  broken, encrypted
 * ELIMIT     it unpacks to more than PUAN_XLSX_PART_BYTES, or with what was
 *            read before to more than PUAN_XLSX_ALL_BYTES
 */
PUAN_MUST_USE enum puan_status puan_zip_part(struct puan_str *out,
                                             struct puan_zip *z,
                                             struct puan_str name,
                                             struct puan_err *err);

#endif
