/*
 * Rows of lots, for the preview before signing.  Of this folder only.
 */
#ifndef PUAN_FEATURES_LOTS_INTERNAL_H
#define PUAN_FEATURES_LOTS_INTERNAL_H

#include "features/host/request.h"
#include "features/lots/lots.h"

#define PUAN_LOT_COLUMNS                                                       \
    "SELECT id, run, area, digest, households, heights, state, made FROM lot "

void puan_lot_row(struct puan_lot *out, struct puan_stmt *s,
                  struct puan_arena *a);
/* The lot of an area that is in force; ENOTFOUND. */
PUAN_MUST_USE enum puan_status puan_lot_live(struct puan_lot *out,
                                             struct puan_db *db, int64_t area,
                                             struct puan_arena *a,
                                             struct puan_err *err);
/* Levels at which somebody accepts lots: bit per index of plan->level. */
uint64_t puan_lot_levels(const struct puan_plan *plan);
/* The tree's level of the lots below area i, or -1. */
int puan_lot_below(struct puan_store *st, uint32_t i);
/*
 * Units of an area that need no return (status among the words of the plan's
 * setting `listing_not_due`) and have sent none, in order of the key.  EIO.
 */
struct puan_lot_idle {
    int64_t *household;
    size_t n, cap;
};
PUAN_MUST_USE enum puan_status puan_lot_idle(struct puan_lot_idle *out,
                                             struct puan_store *st,
                                             int64_t area,
                                             struct puan_arena *a,
                                             struct puan_err *err);
bool puan_lot_is_idle(const struct puan_lot_idle *l, int64_t household);
/* Height of a store in "1:123,2:456", or -1. */
int64_t puan_lot_height(struct puan_str heights, size_t ordinal);

struct puan_lot_in {
    int64_t area, id;
    struct puan_str reason, digest;
    bool quick;
    struct puan_page page;
};
/* preview.c */
PUAN_MUST_USE enum puan_status puan_lots_open(void **state,
                                              struct puan_store *st,
                                              struct puan_err *err);
void puan_lots_close(void *state, struct puan_store *st);
enum puan_status puan_lot_preview(struct puan_request *rq, const void *in,
                                  struct puan_err *err);
enum puan_status puan_lot_areas(struct puan_request *rq, const void *in,
                                struct puan_err *err);

#endif
