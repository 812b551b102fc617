/*
 * Persons registered twice: found by identity token within and across returns
 * stores, told apart from people who live away from their registration
 * (core/link), decided by an office with a reason, never by itself.
 *
 * Never gives a name or an ID number away.  The desk compares names by
 * character on the server, which is an entry (identity.compare).
 */
#ifndef PUAN_FEATURES_DUPLICATES_DUPLICATES_H
#define PUAN_FEATURES_DUPLICATES_DUPLICATES_H

#include "features/store/store.h"

extern const struct puan_feature puan_feature_duplicates;

/* Groups with a record in the area that wait for a verdict or a visit. */
PUAN_MUST_USE enum puan_status puan_dup_open_in(int64_t *n,
                                                struct puan_store *st,
                                                int64_t area,
                                                struct puan_err *err);

/*
 * Records of one store that a decision says not to count, as `db` (a reading
 * connection of that store) sees them now: read once, then asked from any
 * thread.
 */
struct puan_dropped;
PUAN_MUST_USE enum puan_status puan_dropped_open(struct puan_dropped **out,
                                                 struct puan_db *db,
                                                 struct puan_err *err);
/*
 * row is 0-based, of the plan's residence entity, in version `ret` (row of
 * `ret`) of the household: what was answered anew is looked at anew.
 */
bool puan_dropped_has(const struct puan_dropped *d, int64_t household,
                      int64_t ret, uint32_t row);
size_t puan_dropped_n(const struct puan_dropped *d);
void puan_dropped_close(struct puan_dropped *d); /* NULL is fine */

#endif
