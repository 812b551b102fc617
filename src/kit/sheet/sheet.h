/*
 * CSV files of any size: read through a memory map by base/csv, written
 * through a buffer.  Knows nothing of what the columns mean.
 *
 * Depends on: base/csv.  Does file I/O.  A sheet belongs to one thread; several
 * sheets may be opened on one file.
 */
#ifndef PUAN_KIT_SHEET_SHEET_H
#define PUAN_KIT_SHEET_SHEET_H

#include "base/csv.h"

struct puan_sheet;

/* Called now and then, and at the end, with bytes done of all bytes. */
typedef void (*puan_sheet_progress_fn)(void *ctx, uint64_t done, uint64_t all);

/*
 * Opens a file and reads its header.  "-" and other things that cannot be
 * mapped (pipes) are read into memory first.  The error names file, line and
 * what was expected.
 *
 * EIO     cannot be opened or read
 * EINVAL  no header, header names a column twice, not UTF-8
 */
PUAN_MUST_USE enum puan_status puan_sheet_open(struct puan_sheet **out,
                                               const char *path,
                                               struct puan_err *err);
void puan_sheet_close(struct puan_sheet *s); /* NULL is fine */
void puan_sheet_progress(struct puan_sheet *s, puan_sheet_progress_fn fn,
                         void *ctx);

/* The reader inside: header, field, n, line.  Fields live until the next row. */
const struct puan_csv *puan_sheet_row(const struct puan_sheet *s);
/* Column by name, or -1. */
int puan_sheet_column(const struct puan_sheet *s, const char *name);
/* A column that must be there; EINVAL names file and column. */
PUAN_MUST_USE enum puan_status puan_sheet_need(int *column,
                                               const struct puan_sheet *s,
                                               const char *name,
                                               struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_sheet_next(bool *more,
                                               struct puan_sheet *s,
                                               struct puan_err *err);

/* Where the next row begins, to come back to it; and going there. */
struct puan_sheet_mark {
    uint64_t at;
    uint32_t line; /* of the row last read */
};
struct puan_sheet_mark puan_sheet_tell(const struct puan_sheet *s);
void puan_sheet_seek(struct puan_sheet *s, struct puan_sheet_mark m);
uint64_t puan_sheet_size(const struct puan_sheet *s); /* bytes */

/* One more reader over the same map; close it before the first. */
PUAN_MUST_USE enum puan_status puan_sheet_clone(struct puan_sheet **out,
                                                const struct puan_sheet *s,
                                                struct puan_err *err);

/* Writer.  "-" is standard output.  A file appears under its name only when
   puan_sheet_finish has flushed it (kit/os/part.h).  EWRITE when it cannot be
   written. */
struct puan_sheet_out;

PUAN_MUST_USE enum puan_status puan_sheet_create(struct puan_sheet_out **out,
                                                 const char *path,
                                                 struct puan_err *err);
/* The same, readable by nobody but its owner: what people wrote. */
PUAN_MUST_USE enum puan_status puan_sheet_create_own(struct puan_sheet_out **out,
                                                     const char *path,
                                                     struct puan_err *err);
void puan_sheet_put(struct puan_sheet_out *o, struct puan_str field);
/* Words that somebody wrote: no formula, as puan_csv_put_words. */
void puan_sheet_put_words(struct puan_sheet_out *o, struct puan_str field);
void puan_sheet_put_text(struct puan_sheet_out *o, const char *field);
void puan_sheet_put_int(struct puan_sheet_out *o, int64_t v);
void puan_sheet_end_row(struct puan_sheet_out *o);
/* Rows already written as CSV text by somebody else. */
void puan_sheet_put_raw(struct puan_sheet_out *o, struct puan_str rows);
/*
 * Writes what is left and gives the file its name; always frees o.  Write
 * failures on the way are reported here.
 */
PUAN_MUST_USE enum puan_status puan_sheet_finish(struct puan_sheet_out *o,
                                                 struct puan_err *err);
/* Throws the unfinished file away; NULL is fine. */
void puan_sheet_abandon(struct puan_sheet_out *o);

#endif
