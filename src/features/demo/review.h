/*
 * Sending households back and asking them again.  Of this folder only.
 */
#ifndef PUAN_FEATURES_DEMO_REVIEW_H
#define PUAN_FEATURES_DEMO_REVIEW_H

#include "features/demo/demo.h"

/* What the offices do while returns arrive (day.c). */
struct puan_review_round {
    struct puan_str reason;  /* of its queries */
    struct puan_str confirm; /* what a household says that stands by it */
    int64_t open_every;      /* one household in so many is not met yet */
    int64_t wanted; /* soft findings too, until so many will have answered */
};
enum puan_review_part { PUAN_REVIEW_ASK = 1, PUAN_REVIEW_ANSWER = 2 };

PUAN_MUST_USE enum puan_status puan_review_open(struct puan_demo *d,
                                                struct puan_err *err);
/*
 * ASK: sends back what has arrived with hard findings and was not yet sent
 * back.  ANSWER: the enumerators of part `of` of `n` of those that wait send
 * what the households answer.
 */
PUAN_MUST_USE enum puan_status
puan_review_round(struct puan_demo *d, const struct puan_review_round *round,
                  enum puan_review_part part, unsigned of, unsigned n,
                  struct puan_err *err);
/* Households that have answered; *open gets those that have not. */
size_t puan_review_waiting(const struct puan_demo *d, size_t *open);

/* The n-th household that has not answered. */
bool puan_review_left(const struct puan_demo *d, size_t n, int64_t *household,
                      int64_t *query);
/* The enumerator who works in a household's area; false nobody does. */
bool puan_review_worker(const struct puan_demo *d, int64_t ea,
                        struct puan_str *staff, struct puan_str *device);

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
