/*
 * Frames out of a campaign: the last version of every return of an area, as
 * entities of the plan's area levels, the household or unit, and its rosters,
 * in area order.
 *
 * Returns of several forms stand in one frame: an item is the same where its
 * name or alias is; where a form does not ask it, it is not asked.  Records a
 * decision dropped (features/duplicates) are left out.  Of texts and vault
 * items only the states are there.
 *
 * A frame made before of the same area and forms saves reading the stores that
 * have not changed since; their rows are taken over from it.
 *
 * Reads stores, runs threads.  Never opens the vault.
 */
#ifndef PUAN_FEATURES_FRAME_CAMPAIGN_H
#define PUAN_FEATURES_FRAME_CAMPAIGN_H

#include "features/frame/codes.h"
#include "features/frame/frames.h"

struct puan_store;

struct puan_frames_campaign_options {
    int64_t area; /* 0: the whole campaign */
    const struct puan_str *form; /* ids; none: all of the plan */
    size_t n_forms;
    const struct puan_frame *before; /* may be NULL */
    unsigned threads;
    const struct puan_frames_codes *codes; /* may be NULL; `before` is then
                                              not taken over */
    size_t n_codes;
    /*
     * Values to be put in the place of collected ones, return by return, from
     * any thread; NULL: none.  `values_name` says which in the frame's source;
     * a frame before of other values is not taken over.
     */
    size_t (*values)(const void *ctx, struct puan_record *r, int64_t household,
                     int64_t ret);
    const void *values_ctx;
    struct puan_str values_name; /* one line */
};

struct puan_frames_campaign_told {
    uint64_t returns;    /* read */
    uint64_t taken_over; /* from the frame before */
    uint64_t dropped;    /* records left out by decision */
};

/*
 * ENOTFOUND  no such area or form   ELIMIT  too many rows
 */
PUAN_MUST_USE enum puan_status
puan_frames_campaign(struct puan_frames **out,
                     struct puan_frames_campaign_told *told,
                     struct puan_store *st,
                     const struct puan_frames_campaign_options *opt,
                     struct puan_err *err);

#endif
