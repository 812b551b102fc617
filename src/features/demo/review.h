/*
 * Sending households back and asking them again.  Of this folder only.
 */
#ifndef PUAN_FEATURES_DEMO_REVIEW_H
#define PUAN_FEATURES_DEMO_REVIEW_H

#include "features/demo/demo.h"

/* The latest moment at which enumerators may still send, by the plan. */
int64_t puan_demo_recheck_moment(const struct puan_demo *d);

/*
 * After the review: sends one household back for `reason`; its enumerator
 * sends its true answers, or the same again when it has told the truth.
 */
PUAN_MUST_USE enum puan_status puan_demo_again(struct puan_demo *d,
                                               int64_t household,
                                               const char *reason,
                                               struct puan_err *err);
void puan_demo_review_close(struct puan_review *r); /* NULL is fine */

#endif
