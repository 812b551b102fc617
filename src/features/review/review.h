/*
 * Review: an office looks through the returns of its area one household at a
 * time, and says of each version: accepted, sent back (ingest's query), or
 * passed to the office above.
 *
 * What an office says is a mark of its level on one version of a return; it
 * changes no answer.  In each returns store
 *
 *   review_act(id, household, version, kind, level, office, actor, seat, at,
 *              entered, reason, findings, undoes)                     covered
 *     kind      accept, pass, undo
 *     level     the level's name in the plan; office: the seat's area
 *     at        campaign time; entered: real time of the ledger entry
 *     findings  JSON of the version's findings as they stood then
 *     undoes    undo: the mark taken back; else 0
 *
 * Where a household stands for an office of level L, first that holds:
 *   querying   a query about the present version is open
 *   reviewed   the present version has a mark of L, or is accepted below L
 *   corrected  it was sent back before and has a newer version
 *   waiting    open findings, or passed up from below
 *   clean      none of these; in no queue
 * An office above the level that has the returns stores sees what was passed
 * to it and nothing else.
 *
 * The queue is read from an index in memory (index.c), made from `ret`,
 * `query` and `review_act` and following them behind the commits.
 *
 * Never opens an identity but one person's, for a stated purpose, with an
 * entry; never decides about a finding.
 *
 * Depends on: ingest, campaign (listing), lots.
 */
#ifndef PUAN_FEATURES_REVIEW_REVIEW_H
#define PUAN_FEATURES_REVIEW_REVIEW_H

#include "features/store/store.h"

extern const struct puan_feature puan_feature_review;

enum puan_review_state {
    PUAN_REVIEW_NONE, /* nothing has arrived */
    PUAN_REVIEW_CLEAN,
    PUAN_REVIEW_WAITING,
    PUAN_REVIEW_CORRECTED,
    PUAN_REVIEW_QUERYING,
    PUAN_REVIEW_REVIEWED
};
#define PUAN_REVIEW_STATES 6
/* "waiting"; what lists and addresses say. */
const char *puan_review_state_name(enum puan_review_state s);

/* Households of an area by where they stand for an office of `level`. */
struct puan_review_counts {
    int64_t state[PUAN_REVIEW_STATES]; /* clean and none: not counted, 0 */
    int64_t overdue; /* of the querying ones, beyond setting query_answer */
    int64_t passed;  /* of waiting and corrected, passed up from below */
    bool complete;   /* false while the index is being made */
};
PUAN_MUST_USE enum puan_status
puan_review_counts_of(struct puan_review_counts *out, struct puan_store *st,
                      int64_t area, unsigned level, struct puan_err *err);

#endif
