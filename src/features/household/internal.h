/*
 * What the files of this folder share.
 */
#ifndef PUAN_FEATURES_HOUSEHOLD_INTERNAL_H
#define PUAN_FEATURES_HOUSEHOLD_INTERNAL_H

#include "features/host/request.h"
#include "features/household/household.h"

/* What there is of a draft without opening it; rev 0: none. */
struct household_draft {
    int64_t rev, at, real;
};
PUAN_MUST_USE enum puan_status household_draft_look(struct household_draft *out,
                                                    struct puan_db *db,
                                                    int64_t household,
                                                    struct puan_err *err);

struct household_draft_in {
    int64_t household; /* whose it is to the page; 0: not said */
};
enum puan_status household_get_draft(struct puan_request *rq, const void *in,
                                     struct puan_err *err);
enum puan_status household_put_draft(struct puan_request *rq, const void *in,
                                     struct puan_err *err);
enum puan_status household_delete_draft(struct puan_request *rq,
                                        const void *in, struct puan_err *err);
enum puan_status household_get_handover(struct puan_request *rq,
                                        const void *in, struct puan_err *err);
/* The job that deletes what is delivered or over. */
enum puan_status household_sweep(struct puan_store *st, struct puan_err *err);

#endif
