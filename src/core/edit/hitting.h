/*
 * Least hitting set: given sets of things each with a cost, the cheapest
 * choice of things that has one of every set.  Exact, by branch and bound over
 * the components of the sets (two sets are neighbours when they share a
 * thing), bounded below by disjoint sets.
 *
 * The dual side of error localisation: every set is a conflict, the things in
 * it cannot all keep their values (core/edit/localise.h).
 *
 * Depends on: base.  Does no I/O, keeps no state.
 */
#ifndef PUAN_CORE_EDIT_HITTING_H
#define PUAN_CORE_EDIT_HITTING_H

#include "base/arena.h"

struct puan_hitting_set { /* ascending things, each once */
    const uint32_t *thing;
    uint32_t n;
};

enum puan_hitting_state {
    PUAN_HITTING_LEAST, /* proved */
    PUAN_HITTING_NONE,  /* a set is empty */
    PUAN_HITTING_BUDGET /* given up; *cost is a proved lower bound */
};

/*
 * Chooses among things 0..things-1; cost[t] > 0.  pick[t] is set for chosen
 * things.  Equal costs are decided for the choice found first: things in many
 * sets before things in few, then the smaller number.  *budget falls by one a
 * node.  ENOMEM only.
 */
PUAN_MUST_USE enum puan_status
puan_hitting_least(enum puan_hitting_state *state, bool *pick, int64_t *cost,
                   const int64_t *thing_cost, uint32_t things,
                   const struct puan_hitting_set *set, size_t n,
                   uint64_t *budget, struct puan_arena *a,
                   struct puan_err *err);

#endif
