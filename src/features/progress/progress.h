/*
 * How far the work is, area by area: a projection kept in memory beside an
 * open store, read behind the commits and never on their way.
 *
 * A job of about a second reads what each returns store has taken since: rows
 * of `ret`, open queries, review marks, assignments, and from the office store
 * the lots in force.  At start, and when a listing or the areas change, it is
 * made anew by one scan, in slices; the last good one answers meanwhile.
 *
 *   due        listed less the units that need no return: status named by the
 *              plan's setting `listing_not_due` ("vacant"), unless one came
 *   delivered  due households with a return
 *   waiting, corrected, queried   as the queue of features/review has them for
 *              an office of the level that asks: a figure equals its list
 *   accepted   in a lot in force, or this version marked accepted by an office
 *   day        delivered by campaign day on which the interview ended, from
 *              the day the plan's `progress_window` opens
 *   minute     versions received in each of the last 60 minutes of real time
 *
 * Work is counted here, results are not: `persons` is for seats with the
 * capability evaluation.view only.
 *
 * Derived; nothing of it is stored.  Depends on: store, ingest.
 */
#ifndef PUAN_FEATURES_PROGRESS_PROGRESS_H
#define PUAN_FEATURES_PROGRESS_PROGRESS_H

#include "features/store/store.h"

extern const struct puan_feature puan_feature_progress;

#define PUAN_WORK_DAYS 64
#define PUAN_WORK_MINUTES 60

struct puan_work {
    int64_t listed, vacant; /* due = listed - vacant */
    int64_t assigned;       /* due, in areas given to an enumerator */
    int64_t delivered, self;
    int64_t queried, accepted;
    int64_t waiting, corrected; /* for the level that asks */
    int64_t flagged;    /* delivered with an open finding */
    int64_t hard, soft; /* open findings of last versions */
    int64_t persons;
    int64_t roll, met; /* persons on the roll and in the returns of those
                          delivered whose roll says how many */
    int64_t eas, begun; /* enumeration areas; with at least one return */
    int64_t silent;     /* begun or due, not complete, 48 h without movement */
    int64_t last_ms;    /* campaign time of the last movement; 0 none */
    int64_t oldest_ms;  /* of those waiting and corrected; 0 none */
    int64_t day[PUAN_WORK_DAYS];
    int64_t minute[PUAN_WORK_MINUTES]; /* [59]: the minute now running */
};

/* What the figures rest on. */
struct puan_work_basis {
    int64_t as_of_ms;   /* campaign time up to which all of them reach */
    size_t have, of;    /* returns stores read, and needed, for the area */
    int64_t missing[16]; /* areas of those not read; the first of them */
    size_t n_missing;
    bool rebuilding;    /* being made anew; figures are the last good ones */
    int64_t done, total; /* of the one that is furthest behind */
};

/*
 * Figures of an area and all below it, as an office of `level` (of the plan)
 * sees them.  Stores that cannot be read are left out and named in `basis`;
 * figures are to be shown only when have > 0.
 */
void puan_work_of(struct puan_work *out, struct puan_work_basis *basis,
                  struct puan_store *st, int64_t area, unsigned level);

/* Households of an area with an open finding of one rule. */
struct puan_work_rule {
    uint16_t form, rule; /* ordinal of the form, number in its rule set */
    int64_t households;
};
/* Most frequent first; returns how many were written. */
size_t puan_work_rules(struct puan_work_rule *out, size_t most,
                       struct puan_store *st, int64_t area);

/* First day of `day`, days since 1970, and how many days the window has. */
void puan_work_days(int64_t *first, int64_t *n, const struct puan_store *st);

/* Reads on until nothing is left to read; the job does it by itself. */
PUAN_MUST_USE enum puan_status puan_work_look(struct puan_store *st,
                                              struct puan_err *err);
/* Counts up whenever a figure may have changed. */
uint64_t puan_work_version(struct puan_store *st);

#endif
