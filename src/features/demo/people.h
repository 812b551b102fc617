/*
 * The people of the demonstration: accounts, seats, credentials, tokens, and
 * the hand on the campaign clock.  Of this folder only.
 */
#ifndef PUAN_FEATURES_DEMO_PEOPLE_H
#define PUAN_FEATURES_DEMO_PEOPLE_H

#include "features/demo/demo.h"

/*
 * The token with which a visit is sent: its enumerator's device, kept for all
 * his households, or the household's own account, signed in for this once.
 * Thread-safe; the text lives in `a` or as long as the demo.
 */
PUAN_MUST_USE enum puan_status
puan_people_token(const char **token, struct puan_demo *d,
                  const struct puan_visit *v, struct puan_desk *desk,
                  struct puan_arena *a, struct puan_err *err);

/* Sets the campaign clock, as the seat that may. */
PUAN_MUST_USE enum puan_status puan_people_clock(struct puan_demo *d,
                                                 int64_t campaign_ms,
                                                 struct puan_err *err);

/*
 * Opens a desk signed in to a seat of that role at that area; the account and
 * the seat are made the first time.
 */
PUAN_MUST_USE enum puan_status
puan_people_desk(struct puan_desk *k, struct puan_demo *d, const char *role,
                 int64_t area, struct puan_err *err);

#endif
