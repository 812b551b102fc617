/*
 * Estimates: what an office reports in the place of a unit that could not
 * answer, as records of their own beside the returns.  Never a version of a
 * return, never in a table.
 *
 *   estimate(id, household, form, basis, actor, seat, at, answers, state,
 *            ended, why)                  covered, in the returns store
 *     answers  frame bytes of contract 1: no text, nothing of the vault
 *     state    "open", "replaced", "withdrawn"; ended: campaign time, 0
 *   An open one whose unit has answered since counts as adjusted: derived.
 *
 * Depends on: ingest (what has arrived), store.
 */
#ifndef PUAN_FEATURES_ESTIMATES_ESTIMATES_H
#define PUAN_FEATURES_ESTIMATES_ESTIMATES_H

#include "features/store/store.h"

extern const struct puan_feature puan_feature_estimates;

/* How many of an area are open; stores are read one after another. */
PUAN_MUST_USE enum puan_status puan_estimates_open(int64_t *n,
                                                   struct puan_store *st,
                                                   int64_t area,
                                                   struct puan_err *err);

#endif
