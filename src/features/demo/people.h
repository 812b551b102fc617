/*
 * The people of the demonstration: accounts, seats, credentials, tokens, and
 * the hand on the campaign clock.  Of this folder only.
 */
#ifndef PUAN_FEATURES_DEMO_PEOPLE_H
#define PUAN_FEATURES_DEMO_PEOPLE_H

#include "features/demo/demo.h"

/*
 * The token with which a visit is sent: its enumerator's device, signed in
 * once, or the household's own account, signed in for this on `desk`.
 * Thread-safe; the text lives in `a` or as long as the demo.
 */
PUAN_MUST_USE enum puan_status
puan_people_token(const char **token, struct puan_demo *d,
                  const struct puan_visit *v, struct puan_desk *desk,
                  struct puan_arena *a, struct puan_err *err);

/* Sets the campaign clock, as the system administrator. */
PUAN_MUST_USE enum puan_status puan_people_clock(struct puan_demo *d,
                                                 int64_t campaign_ms,
                                                 struct puan_err *err);

/* The same, and the clock stands still there. */
PUAN_MUST_USE enum puan_status puan_people_hold_clock(struct puan_demo *d,
                                                      int64_t campaign_ms,
                                                      struct puan_err *err);
/* A backup through the server: DIR/census.backups/NAME. */
PUAN_MUST_USE enum puan_status puan_people_backup(struct puan_demo *d,
                                                  const char *name,
                                                  struct puan_err *err);
/* A seat for each role that people hold, at or nearest to the first county. */
PUAN_MUST_USE enum puan_status puan_people_everybody(struct puan_demo *d,
                                                     struct puan_err *err);

/*
 * Opens a desk at that area whose role has the capability, or the role itself;
 * account and seat are made the first time.
 *
 * ENOTFOUND  no role of that area's level may do it
 */
PUAN_MUST_USE enum puan_status
puan_people_desk(struct puan_desk *k, struct puan_demo *d,
                 const char *capability, int64_t area, struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_people_seat(struct puan_desk *k,
                                                struct puan_demo *d,
                                                struct puan_str role,
                                                int64_t area,
                                                struct puan_err *err);
/* Whether the plan has such a role at that area's level. */
bool puan_people_may(const struct puan_demo *d, const char *capability,
                     int64_t area);

/* The search for duplicates in an area: its answer. */
PUAN_MUST_USE enum puan_status puan_people_search(struct puan_node **reply,
                                                  struct puan_demo *d,
                                                  int64_t area,
                                                  struct puan_arena *a,
                                                  struct puan_err *err);

/* DIR/accounts.txt and .json, for whoever tries the demo and for tests. */
PUAN_MUST_USE enum puan_status puan_people_write(const struct puan_demo *d,
                                                 struct puan_err *err);
/* ---- when the demonstration is served (live.c, ring.c) --------------------
 */

/* Whether accounts.txt offers the household: nobody else sends its return. */
bool puan_people_keeps(const struct puan_demo *d, int64_t household);
/* Another server answers from now on: everybody signs in anew. */
void puan_people_forget(struct puan_demo *d);
/* As puan_people_token, signing the device in too. */
PUAN_MUST_USE enum puan_status
puan_people_sender(const char **token, struct puan_demo *d,
                   const struct puan_visit *v, struct puan_desk *desk,
                   struct puan_arena *a, struct puan_err *err);
/* Seats with their one-time codes of now and households, as HTML. */
void puan_people_ring(struct puan_out *o, const struct puan_demo *d,
                      int64_t now_s);
/* The i-th login; true if it is the first one of its role. */
size_t puan_people_logins(const struct puan_demo *d);
bool puan_people_first(const struct puan_demo *d, size_t i,
                       const struct puan_role **role, struct puan_str *name,
                       struct puan_str *secret);
/* Numbers of certificates, from the staff roll. */
PUAN_MUST_USE enum puan_status
puan_people_certificates(const char **numbers, size_t *n, size_t max,
                         const struct puan_demo *d, struct puan_err *err);

void puan_people_close(struct puan_people *p); /* NULL is fine */

#endif
