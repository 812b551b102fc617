/*
 * The data with the changes in them, as files of their own: every DATA file
 * again under its name in another folder, with one column more, `edited`, that
 * says of each row what was changed and how ("sex:donor age:deductive").  An
 * answer that is to be asked again stays as it was and is named there, too.
 *
 * A list of changes belongs to one thread; lists are put together at the end.
 * Never writes over its input.
 */
#ifndef PUAN_FEATURES_EDIT_CLEAN_H
#define PUAN_FEATURES_EDIT_CLEAN_H

#include "features/edit/impute.h"

struct puan_clean;

PUAN_MUST_USE enum puan_status puan_clean_open(struct puan_clean **out,
                                               struct puan_err *err);
void puan_clean_close(struct puan_clean *c); /* NULL is fine */

/* What was changed in one unit. */
PUAN_MUST_USE enum puan_status
puan_clean_unit(struct puan_clean *c, const struct puan_edit_return *r,
                const struct puan_localised *got,
                const struct puan_imputed *imputed, struct puan_err *err);

/*
 * Writes all files of the source to `dir`, which is made if need be.
 *
 * EDENIED  dir is the folder of a file of the source
 * EINVAL   the source is a frame file, or its rows do not stand in the order
 *          of the file, so that a changed row cannot be told
 */
PUAN_MUST_USE enum puan_status
puan_clean_write(const char *dir, const struct puan_edit_source *s,
                 struct puan_clean *const *list, size_t n,
                 struct puan_err *err);

#endif
