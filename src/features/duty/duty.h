/*
 * Duty rosters: who stands at the telephone of an office, who is called out
 * and answers, the log of a duty and its handing over (core/roster, duty.yaml
 * of the plan).
 *
 *   duty_entry(id, area, at, kind, role, person, until_ms, body, sealed)
 *     covered; one row for each thing entered, in order, never changed.  kind:
 *     a word of puan_roster_word; until_ms: of a stretch of time, else 0; body:
 *     JSON; sealed: the number of a contact (purpose "duty", county 0)
 *   duty_call(entry, area, at)   derived: calls that wait for their answer
 *
 * A roster is the fold of an office's entries, computed when it is read.  A
 * job calls the next rung when a call was not answered.
 *
 * Depends on: store, accounts (who holds the seat), cases (what a contact
 * change or a matter handed on opens), notify (calls go out through it).
 */
#ifndef PUAN_FEATURES_DUTY_DUTY_H
#define PUAN_FEATURES_DUTY_DUTY_H

#include "core/roster/roster.h"
#include "features/host/feature.h"

extern const struct puan_feature puan_feature_duty;

/* How the plan keeps watch; NULL: it does not say. */
const struct puan_duty *puan_duty_of(struct puan_store *st);

/*
 * Who answers for a seat at a moment, for whoever addresses something to it.
 * `asked` is false when the seat is not one of duty, or its office never drew
 * up a roster: then whoever holds the seat is meant.  n = 0: nobody is on duty.
 */
#define PUAN_DUTY_ON 8
struct puan_duty_on {
    bool asked;
    struct puan_str person[PUAN_DUTY_ON]; /* accounts, the first to call first */
    size_t n;
};
PUAN_MUST_USE enum puan_status puan_duty_on(struct puan_duty_on *out,
                                            struct puan_store *st,
                                            struct puan_db *db,
                                            struct puan_str role, int64_t area,
                                            int64_t at_ms, struct puan_arena *a,
                                            struct puan_err *err);

/* Calls whose time is over go one rung on; the job does it by itself. */
PUAN_MUST_USE enum puan_status puan_duty_work(struct puan_store *st,
                                              struct puan_err *err);

#endif
