/*
 * Returns of one form out of plain CSV files, one file an entity: the
 * household file and a file for each roster, joined by the column `household`.
 *
 *   household.csv   household,H1,H2a,...   one row a household
 *   person.csv      household,D1,D2,...    in line order, line 1 first
 *   visit.csv       household,mode,started,finished,signed,...   at most one row
 *                   a household, what a document's head says; may be left out
 *
 * Cells (the same as in puan simulate's files and in imports):
 *   empty       absent: not asked if routing says so, else missing
 *   !           missing, no reason stated
 *   !refused    missing, with that code of the item's reasons
 *   other       the answer as a document writes it; what does not suit the
 *               item's type or list becomes INVALID, which is data
 *
 * Files sorted by household are walked as they lie, in chunks that threads
 * may share; a file that is not sorted is indexed in memory (24 bytes a row).
 * What cannot be read is an error that names file, line, column and what was
 * expected: broken CSV, an unknown column, a household key that is no number,
 * a household twice, a row whose household is not in the household file, a
 * reason the item does not have, more rows than the form allows.
 *
 * Depends on: form, plan/routing, kit/sheet.  Writes nothing.
 */
#ifndef PUAN_FEATURES_CHECK_CSV_RECORD_H
#define PUAN_FEATURES_CHECK_CSV_RECORD_H

#include "core/form/record.h"
#include "core/plan/routing.h"
#include "kit/sheet/sheet.h"

struct puan_csv_set;
struct puan_csv_cursor;

struct puan_csv_options {
    bool ignore_unknown; /* columns the form does not have */
    uint32_t chunk;      /* households a chunk; 0: 1024 */
    puan_sheet_progress_fn progress; /* of the first pass, bytes of all files */
    void *progress_ctx;
};

/*
 * Opens the files and walks them once, to find chunks and faults of form.  A
 * path may be "ENTITY=PATH"; else the file's base name up to the first dot
 * names the entity, else the one entity that has all its columns.  A roster
 * without a file has no rows.  form and routing must outlive the set; routing
 * may be NULL: absent cells then stay not asked.
 *
 * EIO     a file cannot be read   EINVAL  see above
 */
PUAN_MUST_USE enum puan_status
puan_csv_set_open(struct puan_csv_set **out, const struct puan_form *form,
                  const struct puan_routing *routing, const char *const *paths,
                  size_t n_paths, const struct puan_csv_options *opt,
                  struct puan_err *err);
void puan_csv_set_close(struct puan_csv_set *s); /* NULL is fine */

size_t puan_csv_set_chunks(const struct puan_csv_set *s);
/* Rows of an entity's file; 0 when it has none. */
uint64_t puan_csv_set_rows(const struct puan_csv_set *s, size_t entity);
/* The file of an entity, or NULL. */
const char *puan_csv_set_path(const struct puan_csv_set *s, size_t entity);
/* That file was not sorted and is held in memory. */
bool puan_csv_set_indexed(const struct puan_csv_set *s, size_t entity);

/* One thread's reader over the set. */
PUAN_MUST_USE enum puan_status puan_csv_cursor_open(struct puan_csv_cursor **out,
                                                    const struct puan_csv_set *s,
                                                    struct puan_err *err);
void puan_csv_cursor_close(struct puan_csv_cursor *c); /* NULL is fine */

/* One household as read. */
struct puan_csv_return {
    int64_t household;
    struct puan_record record;
    uint32_t *line[PUAN_FORM_ENTITIES]; /* line in its file of every row */
};

/*
 * All households of one chunk, ascending by key, with routing and facts done.
 * The list lives in the arena; texts borrow from the set's files.
 */
PUAN_MUST_USE enum puan_status
puan_csv_cursor_chunk(struct puan_csv_return **list, size_t *n,
                      struct puan_csv_cursor *c, size_t chunk,
                      struct puan_arena *a, struct puan_err *err);

#endif
