/*
 * CSV (RFC 4180) over text in memory: commas, double quotes, LF or CRLF, a
 * header line, UTF-8 with or without a byte order mark.  Refuses: a row with
 * another number of fields than the header, a stray or open quote, ill-formed
 * UTF-8, NUL, more than 16,384 columns, one column named with semicolons or
 * tabs.
 *
 * Depends on: arena.  Does no I/O.
 */
#ifndef PUAN_BASE_CSV_H
#define PUAN_BASE_CSV_H

#include "base/arena.h"
#include "base/out.h"

#define PUAN_CSV_COLUMNS 16384 /* each name is held against all before it */

struct puan_csv {
    struct puan_str src;
    size_t at;
    const char *file;
    uint32_t line;          /* of the row last read, 1-based */
    struct puan_str *field; /* n fields of that row, borrowed from src or
                               unquoted into `row_arena` */
    size_t n;
    struct puan_str *header;
    struct puan_arena *arena;    /* header and field array */
    struct puan_arena *row_arena; /* reset by every read */
};

/* Reads the header.  src must outlive the reader. */
PUAN_MUST_USE enum puan_status
puan_csv_open(struct puan_csv *c, struct puan_str src, const char *file,
              struct puan_arena *a, struct puan_arena *row_arena,
              struct puan_err *err);
/* Column by header name, or -1. */
int puan_csv_column(const struct puan_csv *c, const char *name);
/* Next row; *more is false at the end. */
PUAN_MUST_USE enum puan_status puan_csv_next(bool *more, struct puan_csv *c,
                                             struct puan_err *err);
/* Appends one field, quoted where needed. */
void puan_csv_put(struct puan_out *o, struct puan_str field);
/*
 * Does a spreadsheet take this text for a formula?  Begins with = + - @, a tab
 * or a carriage return.
 */
bool puan_csv_formula(struct puan_str field);
/*
 * The same of words that somebody wrote (names, answers): what would be a
 * formula gets an apostrophe before it.  Not for numbers.
 */
void puan_csv_put_words(struct puan_out *o, struct puan_str field);

#endif
