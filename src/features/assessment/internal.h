/*
 * What the files of this folder share.
 */
#ifndef PUAN_FEATURES_ASSESSMENT_INTERNAL_H
#define PUAN_FEATURES_ASSESSMENT_INTERNAL_H

#include "core/score/score.h"
#include "features/assessment/assessment.h"
#include "features/store/store.h"

/* The plan's scheme; NULL: it has none. */
const struct puan_score_scheme *puan_assess_scheme(struct puan_store *st);

/* All entries of an office in order, with room for one more (rows.c). */
PUAN_MUST_USE enum puan_status
puan_assess_read(struct puan_score_entry **out, size_t *n,
                 const struct puan_plan *plan, struct puan_db *db, int64_t area,
                 struct puan_arena *a, struct puan_err *err);

struct puan_assess_call {
    struct puan_store *st;
    struct puan_arena *arena;
    int64_t area;
    struct puan_score_entry entry; /* id, level and time are filled inside */
};
/* Writes one entry when the scheme takes it; its own act. */
PUAN_MUST_USE enum puan_status puan_assess_write(struct puan_act *act,
                                                 struct puan_assess_call *call,
                                                 struct puan_err *err);

/* What is measured, and what cases veto (job.c). */
PUAN_MUST_USE enum puan_status puan_assess_job(struct puan_store *st,
                                               struct puan_err *err);

/* Cases are counted now, and then not for an hour. */
bool puan_assess_cases_due(struct puan_store *st);

#endif
