/*
 * Returns to edit, one unit at a time with all its rows, out of a campaign or
 * out of plain files:
 * the CSV files of a plan's form (check/csv_record.h), or one file of rows (or
 * a frame) that levels part into units, for which a form is made on the way.
 *
 * In a form made from a frame every column is an item of what the codebook
 * says: a code list, or the range of the values seen.  An item is optional when
 * some cells of it are empty.  The items that name a unit, and the items of
 * the levels above the rows, are not answers and never change.
 *
 * Does file I/O.  A source may be read by several threads, each with a cursor.
 */
#ifndef PUAN_FEATURES_EDIT_SOURCE_H
#define PUAN_FEATURES_EDIT_SOURCE_H

#include "core/plan/routing.h"
#include "core/rule/lookup.h"

struct puan_plan;
struct puan_edit_source;
struct puan_edit_cursor;

/* The files of a form; form, routing and plan must outlive the source. */
PUAN_MUST_USE enum puan_status
puan_edit_source_form(struct puan_edit_source **out,
                      const struct puan_plan *plan,
                      const struct puan_form *form, const char *const *paths,
                      size_t n, bool ignore_unknown, struct puan_err *err);

/*
 * The last version of every return of one form that a campaign directory
 * holds, read beside a running server.  Sealed texts stay sealed: rules see
 * their facts.  The source holds the campaign's plan, routing and form.
 *
 * ENOTFOUND  no campaign there, or no such form
 */
PUAN_MUST_USE enum puan_status
puan_edit_source_campaign(struct puan_edit_source **out, const char *dir,
                          const char *form, struct puan_err *err);
/* The plan of a campaign; NULL for files. */
const struct puan_plan *puan_edit_source_plan(const struct puan_edit_source *s);

struct puan_edit_frame {
    const struct puan_rule_level *level; /* as the rules declare them */
    size_t n_levels;
    struct puan_str entity; /* what a row is; empty: "person" */
    struct puan_str unit;   /* level that is one return; empty: the innermost
                               level, or each row for itself without levels */
};
PUAN_MUST_USE enum puan_status
puan_edit_source_frame(struct puan_edit_source **out, const char *const *paths,
                       size_t n, const struct puan_edit_frame *opt,
                       struct puan_err *err);
void puan_edit_source_close(struct puan_edit_source *s); /* NULL is fine */

const struct puan_form *puan_edit_source_of(const struct puan_edit_source *s);
/* NULL for a frame. */
const struct puan_routing *
puan_edit_source_routing(const struct puan_edit_source *s);
/* The CSV files; of a frame file, that file. */
#define PUAN_EDIT_FILES 64
struct puan_edit_file {
    const char *path;
    uint16_t entity; /* whose rows it holds */
    bool by_row;     /* lines of returns are rows over all files, from 1 */
};
size_t puan_edit_source_files(const struct puan_edit_source *s,
                              struct puan_edit_file list[PUAN_EDIT_FILES]);
uint64_t puan_edit_source_units(const struct puan_edit_source *s);
size_t puan_edit_source_chunks(const struct puan_edit_source *s);

PUAN_MUST_USE enum puan_status
puan_edit_cursor_open(struct puan_edit_cursor **out,
                      const struct puan_edit_source *s, struct puan_err *err);
void puan_edit_cursor_close(struct puan_edit_cursor *c); /* NULL is fine */

struct puan_edit_return {
    struct puan_str key; /* household, or the items that name the unit */
    struct puan_record record;
    const uint32_t *line[PUAN_FORM_ENTITIES]; /* of its file, or the row of the
                                                 frame from 1 */
};
/* Units of one chunk in the order of the file; in the arena. */
PUAN_MUST_USE enum puan_status
puan_edit_cursor_chunk(struct puan_edit_return **list, size_t *n,
                       struct puan_edit_cursor *c, size_t chunk,
                       struct puan_arena *a, struct puan_err *err);

#endif
