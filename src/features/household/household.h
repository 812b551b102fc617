/*
 * What a household has before itself while it fills in its own return: who it
 * is to the census, until when it may send, what became of what it sent, and a
 * draft that another phone of the same household can go on with.
 *
 *   returns store
 *   household_draft(household, rev, at, real, sealed)
 *       at       campaign time, for people; real: real time, for comparing
 *       sealed   purpose "draft", table "household_draft", column "sealed", row
 *                key = household
 *
 * A draft is nobody's return: it is not in the ledger, no office can read it,
 * it is replaced, and it is deleted once a return has been delivered or no
 * window of the plan opens the household's form any more.  It is never handed
 * on.
 *
 * Depends on: store, host, ingest, lots, accounts, campaign (listing).
 */
#ifndef PUAN_FEATURES_HOUSEHOLD_HOUSEHOLD_H
#define PUAN_FEATURES_HOUSEHOLD_HOUSEHOLD_H

#include "features/host/feature.h"

/*
 * Is a household, listed with that mode and with so many versions arrived, to
 * be visited because it has not sent its own by the end of the window that the
 * plan's setting `self_handover` names?
 */
bool puan_handed_over(struct puan_store *st, struct puan_str mode,
                      uint32_t version, int64_t now);

#define PUAN_DRAFT_MAX (128 * 1024)

extern const struct puan_feature puan_feature_household;

/*
 * What a call desk may be told of a household, as a JSON map in rq->arena:
 * where it lies, its address as listed with the last number hidden, by which
 * channel and until when it may send, whether its code works and a password is
 * set, how far its return has come (state `none begun delivered queried recheck
 * accepted locked`, `by`, `finished`).  Nothing of an answer, of persons or
 * their number, of findings or of what a query asks.
 *
 * ENOTFOUND  no household has that number
 */
struct puan_request;
PUAN_MUST_USE enum puan_status puan_household_brief(struct puan_str *json,
                                                    struct puan_request *rq,
                                                    int64_t household,
                                                    struct puan_err *err);

#endif
