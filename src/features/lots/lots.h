/*
 * Lots: an area accepts its returns as they are at one moment.  A lot is a run
 * of the plan's flow with subject "lot" plus what was accepted:
 *
 *   lot(id, run, area, digest, households, heights, state, made)  covered
 *     digest   puan_area_digest of the area's returns
 *     heights  "ordinal:height,…": entries of each returns store before the
 *              digest was taken
 *     state    of the run: offered, accepted, void, locked
 *   lot_change(area, store, seq)  derived: last change of a marked area
 *
 * A return accepted later than the heights say voids the lot of every marked
 * area it lies in, and the lots above.  The mark is set before the digest is
 * taken, so a change cannot slip between; one that falls into the moment of
 * the digest voids too, and the lot is then accepted again.
 *
 * Which levels have lots: those at which the plan gives a role lot.accept.
 *
 * Depends on: cases, ingest.
 */
#ifndef PUAN_FEATURES_LOTS_LOTS_H
#define PUAN_FEATURES_LOTS_LOTS_H

#include "features/cases/cases.h"

extern const struct puan_feature puan_feature_lots;
extern const struct puan_case_owner puan_lots_owner;

struct puan_lot {
    int64_t id, run, area, households, made_ms;
    uint8_t digest[PUAN_DIGEST_SIZE];
    struct puan_str state, heights;
};

/* The accepted or locked lot of exactly this area; ENOTFOUND when none. */
PUAN_MUST_USE enum puan_status puan_lot_of(struct puan_lot *out,
                                           struct puan_store *st, int64_t area,
                                           struct puan_arena *a,
                                           struct puan_err *err);

/*
 * Accepts an area's returns now.  `reason` empty: refused while hard findings
 * are open or lower lots are missing; with a reason the flow's transition for
 * that is taken.  `shown`: the digest he was shown, in hex; empty: none.
 * `who` acts; `act` names him.
 *
 * ECONFLICT  refused by the flow, or the returns are no longer those shown
 */
PUAN_MUST_USE enum puan_status
puan_lot_accept(struct puan_lot *out, struct puan_store *st,
                struct puan_act *act, const struct puan_flow_who *who,
                int64_t area, struct puan_str reason, struct puan_str shown,
                struct puan_arena *a, struct puan_err *err);

/* Areas just below this one's lots that need a lot and have none. */
PUAN_MUST_USE enum puan_status puan_lots_missing(int64_t *n,
                                                 struct puan_store *st,
                                                 struct puan_db *db,
                                                 int64_t area,
                                                 struct puan_err *err);

#endif
