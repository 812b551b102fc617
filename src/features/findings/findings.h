/*
 * Findings of a campaign as people look at them: which rule finds how much
 * where, in which form, how severe, what became of it, and since when.
 *
 * A finding is one rule in one row of one household's return.  Of a household
 * and a rule there stand, by its last version,
 *
 *   open       findings that nobody has dealt with
 *   settled    confirmed with a reason (soft), or overridden with a reason and
 *              a second person (hard)
 *   corrected  the most that any version had, less what the last one has: gone
 *              because the answers were corrected
 *
 * Corrections may renumber rows, so what is gone is counted by rule and not by
 * row.  A household is counted once in each state that applies to it.
 *
 * All of it is made from `ret` and follows it behind the commits, in memory:
 * 24 bytes a household that ever had a finding and 28 a change of one of its
 * rules.  It answers nothing that the returns do not say, holds no answer and
 * no name, and decides nothing.
 *
 * An office above the level that has the returns stores sees figures and no
 * households; the review queue holds it the same way.
 *
 * Depends on: ingest.
 */
#ifndef PUAN_FEATURES_FINDINGS_FINDINGS_H
#define PUAN_FEATURES_FINDINGS_FINDINGS_H

#include "features/store/store.h"

extern const struct puan_feature puan_feature_findings;

/* Of one rule of one form in an area: findings, and households with some. */
struct puan_finding_tally {
    int64_t open, settled, corrected;
    int64_t homes_open, homes_settled, homes_corrected;
    int64_t homes; /* with one that is open or settled */
};
struct puan_findings_sum {
    /* by ordinal of the form, then by place in its rule set; NULL: no rules */
    struct puan_finding_tally **rule;
    int64_t *returns; /* by ordinal of the form */
    bool complete;    /* false while the index is being made */
};
/* Allocated in `a`. */
PUAN_MUST_USE enum puan_status
puan_findings_of(struct puan_findings_sum *out, struct puan_store *st,
                 int64_t area, struct puan_arena *a, struct puan_err *err);

#endif
