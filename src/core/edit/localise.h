/*
 * Error localisation: of a return that fails hard rules, the set of answers of
 * least weight that must change so that values for them exist with which every
 * hard rule passes (I. P. Fellegi and D. Holt, "A Systematic Approach to
 * Automatic Edit and Imputation", JASA 71, 1976, 17-35).  No implied edits are
 * generated.  A conflict is a set of answers that cannot all stay: found by
 * running the rules over open cells (core/rule/may.h) and made as small as the
 * rule allows.  The least hitting set of the conflicts known so far is tried:
 * with those answers open, a search with conflict-directed backjumping either
 * finds values for them (then the set is least, for it costs no more than any
 * set that hits all conflicts) or proves that there are none and returns a
 * conflict that the set does not hit.  (J. Davies and F. Bacchus, "Solving
 * MAXSAT by Solving a Sequence of Simpler SAT Instances", CP 2011, is the same
 * scheme; R. Reiter, "A Theory of Diagnosis from First Principles", 1987, the
 * duality.)  Any rule the language can say takes part: household rules,
 * quantifiers, arithmetic, derived items, routing.
 *
 * What an answer may become: a value of its item's list or range, or empty
 * where the item is optional or routing does not ask it.  A sealed text may
 * become another text whose facts take any value a good text can have; the
 * repair says which.  Never changed: items taken from the key or the head, and
 * those of weight 0.  Rows are neither added nor taken away.
 *
 * What is proved: FOUND gives a set of least weight and a repair that was run
 * by the ordinary executor.  IMPOSSIBLE is a proof that no change of answers
 * serves (a person is missing, or the rules contradict each other).  When the
 * budget ends first (or a return has thousands of rows and rules over all of
 * them) the outcome is UNDECIDED, never FOUND: at_least is proved,
 * and a repair, if one was met, passes every hard rule but may not be least.
 *
 * Depends on: rule, plan/routing.  Does no I/O, reads no clock; a localiser
 * never changes once opened and may be shared by threads.
 */
#ifndef PUAN_CORE_EDIT_LOCALISE_H
#define PUAN_CORE_EDIT_LOCALISE_H

#include "core/plan/routing.h"

struct puan_localiser; /* what is the same for all returns of a form */

struct puan_localise_weight {
    uint16_t entity, item;
    uint32_t weight; /* how far the answer is trusted; 0: never changed */
};

/*
 * All hard rules of rs, compiled for form, take part.  routing may be NULL:
 * an empty cell is MISSING, and an item may become empty only when optional.
 * Items not in the list weigh 1, sealed texts, which nobody can fill in but
 * who gave them, 2; of an item given twice the last counts.
 *
 * EINVAL  a weight for an item that cannot be changed (a fact, from the key)
 */
PUAN_MUST_USE enum puan_status
puan_localiser_open(struct puan_localiser **out, const struct puan_ruleset *rs,
                    const struct puan_routing *routing,
                    const struct puan_form *form,
                    const struct puan_localise_weight *weight, size_t n,
                    struct puan_arena *a, struct puan_err *err);

enum puan_localise_state {
    PUAN_LOCALISE_CLEAN,      /* no hard rule fails */
    PUAN_LOCALISE_FOUND,      /* least, and repaired */
    PUAN_LOCALISE_IMPOSSIBLE, /* proved: no change of answers serves */
    PUAN_LOCALISE_UNDECIDED   /* the budget ended */
};

struct puan_cell {
    uint16_t entity, item;
    uint32_t row;
};

struct puan_cell_change {
    struct puan_cell at;
    uint32_t weight;       /* 0 for facts, which follow their item */
    enum puan_state state; /* of the repair */
    int64_t value;
};

struct puan_localised {
    enum puan_localise_state state;
    uint64_t weight;   /* of the changes below */
    uint64_t at_least; /* proved; equal to weight where FOUND */
    bool repaired;     /* changes and record are there and were checked */
    struct puan_cell_change *change; /* by entity, row, item; facts behind
                                        their item */
    size_t n, n_items;               /* of them answers, without facts */
    struct puan_record record;       /* the return with the repair in it */
    uint32_t failing;                /* rule instances that failed */
    uint32_t conflicts;
    uint64_t runs; /* of rules over open cells */
};

struct puan_localise_options {
    uint64_t budget; /* runs of rules; 0: PUAN_LOCALISE_BUDGET */
    uint64_t seed;   /* sets of equal weight: 0 the first in a fixed order,
                        else one of them chosen by this number */
};
#define PUAN_LOCALISE_BUDGET 2000000u

/*
 * r is one return with routing and facts done.  What is found lives in the
 * arena; texts are borrowed from r.  ENOMEM, or EBUG as puan_ruleset_run.
 */
PUAN_MUST_USE enum puan_status
puan_localise(struct puan_localised *out, const struct puan_localiser *l,
              const struct puan_record *r,
              const struct puan_localise_options *opt, struct puan_arena *a,
              struct puan_err *err);

/*
 * Filling in: given cells that may change, chooses values for them one by one,
 * keeping always that the others can still be filled so that every hard rule
 * passes.
 */
struct puan_fill;

enum puan_fill_state { PUAN_FILL_YES, PUAN_FILL_NO, PUAN_FILL_BUDGET };

/* *state: whether there is a repair that changes only these cells. */
PUAN_MUST_USE enum puan_status
puan_fill_open(struct puan_fill **out, enum puan_fill_state *state,
               const struct puan_localiser *l, const struct puan_record *r,
               const struct puan_cell *cell, size_t n, uint64_t budget,
               struct puan_arena *a, struct puan_err *err);
/*
 * Tries a value for cell k: GIVEN with a value of its domain, or NOT_ASKED for
 * empty.  YES: it is taken; else nothing has changed.
 */
PUAN_MUST_USE enum puan_status puan_fill_try(enum puan_fill_state *state,
                                             struct puan_fill *f, size_t k,
                                             enum puan_state st, int64_t value,
                                             struct puan_err *err);
/* Is what the repair holds now for cell k the only thing it can hold? */
PUAN_MUST_USE enum puan_status puan_fill_forced(enum puan_fill_state *state,
                                                struct puan_fill *f, size_t k,
                                                struct puan_err *err);
/*
 * The repair as it stands, checked by the ordinary executor; only after YES
 * from open.  EBUG when a hard rule fails.
 */
PUAN_MUST_USE enum puan_status puan_fill_done(struct puan_record *out,
                                              struct puan_fill *f,
                                              struct puan_err *err);

#endif
