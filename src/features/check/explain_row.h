/*
 * puan check --explain RULE ROW: one rule in one row of the data, part by
 * part.  Of this folder only.
 */
#ifndef PUAN_FEATURES_CHECK_EXPLAIN_ROW_H
#define PUAN_FEATURES_CHECK_EXPLAIN_ROW_H

#include <stdio.h>

#include "core/plan/plan.h"
#include "core/rule/explain.h"
#include "features/check/csv_record.h"

struct puan_explain_ask {
    const char *rule, *row; /* row: HOUSEHOLD or HOUSEHOLD:LINE */
    const char *const *rules; /* files of --rules; none: the plan's */
    size_t n_rules;
    bool zh, json;
};

/*
 * Prints to `to`; *finding says whether the rule finds something there.
 *
 * EINVAL ROW is malformed   ENOTFOUND no such rule, household or line
 */
PUAN_MUST_USE enum puan_status
puan_explain_row(bool *finding, FILE *to, const struct puan_explain_ask *ask,
                 const struct puan_plan *plan, const struct puan_form *form,
                 const struct puan_csv_set *set, struct puan_arena *a,
                 struct puan_err *err);

#endif
